import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { jwtPublicKeys, refreshTokenTtlSeconds } from "../../lib/settings.ts";
import { type CompiledService, environmentsOf } from "../template.ts";
import { openKeySecret } from "./secret.ts";
import { signingKeys } from "./sets.ts";
import { notePublished } from "./store.ts";

/** What this plugin reads of a Serverless that deploys. */
type Serverless = {
  service: CompiledService & { custom: { signingKeys: { secret: string } }; provider: { region: string } };
};

/** Serverless plugin: notes which keys a deployment has published. */
export default class SigningKeysPlugin {
  readonly hooks: Record<string, () => Promise<void>>;

  constructor({ service }: Serverless, options: { "aws-profile"?: string } = {}) {
    this.hooks = {
      "after:deploy:deploy": async () => {
        const { jwtPublicKeys, refreshTokenTtlSeconds } = readDeployed(service);
        const address = {
          secretId: service.custom.signingKeys.secret,
          region: service.provider.region,
          profile: options["aws-profile"],
        };
        await notePublished(openKeySecret(address, signingKeys), {
          kids: jwtPublicKeys.map(({ kid }) => kid),
          refreshTokenTtlSeconds,
          now: systemClock(),
        });
      },
    };
  }
}

/** The settings in the template, which may be older than this run (`deploy --package`). */
function readDeployed(service: CompiledService) {
  const environment = environmentsOf(service).find((variables) => "JWT_PUBLIC_KEYS" in variables);
  return readConfig({ jwtPublicKeys, refreshTokenTtlSeconds }, environment ?? {});
}
