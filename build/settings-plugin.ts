import { listNeededSettings, readConfig } from "../lib/config.ts";
import { placeholder } from "./keys/public-keys.ts";
import { type CompiledService, environmentsOf } from "./template.ts";

/** What this plugin reads of a Serverless that packages or deploys. */
type Serverless = {
  service: CompiledService;
  classes: { Error: new (message: string, code?: string) => Error };
};

/** Serverless plugin: refuses to package and to deploy functions that would not start. */
export default class SettingsPlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ service, classes }: Serverless) {
    /** Checks what is known before AWS resolves the rest; an error of this class is shown without a stack. */
    function assertSound(isKnown: (value: unknown) => boolean): void {
      try {
        checkSettings(environmentsOf(service), isKnown);
      } catch (error) {
        throw new classes.Error((error as Error).message, "INVALID_SETTINGS");
      }
    }

    this.hooks = {
      "after:package:compileFunctions": () =>
        assertSound((value) => typeof value !== "object" && value !== placeholder),
      // The template may be older than this run (`deploy --package`)
      "before:deploy:deploy": () => assertSound((value) => typeof value !== "object"),
    };
  }
}

/** Reads every setting as each function would, with what only others have (HASH_KEYS_SECRET, ROUTES). */
function checkSettings(environments: Record<string, string>[], isKnown: (value: unknown) => boolean): void {
  const all = Object.assign({}, ...environments);
  for (const own of environments) {
    const environment = { ...all, ...own };
    const known = Object.entries(listNeededSettings(environment)).filter(([, { variable }]) =>
      isKnown(environment[variable]),
    );
    readConfig(Object.fromEntries(known), environment);
  }
}
