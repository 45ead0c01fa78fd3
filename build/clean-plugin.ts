import { rmSync } from "node:fs";
import { join } from "node:path";

/** Serverless plugin: removes what a broken-off packaging left in `.esbuild`, or it would get into every zip. */
export default class CleanPlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ config }: { config: { serviceDir: string } }) {
    const clean = () => rmSync(join(config.serviceDir, ".esbuild"), { recursive: true, force: true });
    this.hooks = {
      "before:package:createDeploymentArtifacts": clean,
      "before:deploy:function:packageFunction": clean,
    };
  }
}
