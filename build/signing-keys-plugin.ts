import { systemClock } from "../lib/clock.ts";
import { readConfig } from "../lib/config.ts";
import { notePublished } from "../lib/tokens/key-store.ts";
import { openSigningKeysSecret } from "./signing-keys-secret.ts";

/** What this plugin reads of a Serverless that deploys. */
type Serverless = {
  service: {
    custom: { signingKeysSecret: string };
    provider: { region: string; compiledCloudFormationTemplate: { Resources: Record<string, Resource> } };
  };
};
type Resource = { Properties?: { Environment?: { Variables?: Record<string, string> } } };

/** Serverless plugin: refuses to deploy functions that would not start, and notes which keys a deployment published. */
export default class SigningKeysPlugin {
  readonly hooks: Record<string, () => Promise<void> | void>;

  constructor({ service }: Serverless, options: { "aws-profile"?: string } = {}) {
    this.hooks = {
      "before:deploy:deploy": () => void readDeployed(service),
      "after:deploy:deploy": async () => {
        const { jwtPublicKeys, refreshTokenTtlSeconds } = readDeployed(service);
        const secret = openSigningKeysSecret({
          secretId: service.custom.signingKeysSecret,
          region: service.provider.region,
          profile: options["aws-profile"],
        });
        await notePublished(secret, {
          kids: jwtPublicKeys.map(({ kid }) => kid),
          refreshTokenTtlSeconds,
          now: systemClock(),
        });
      },
    };
  }
}

/** The settings in the template, which may be older than this run (`deploy --package`). Throws if it has placeholders. */
function readDeployed({ provider }: Serverless["service"]) {
  const environments = Object.values(provider.compiledCloudFormationTemplate.Resources).map(
    ({ Properties }) => Properties?.Environment?.Variables ?? {},
  );
  const environment = environments.find((variables) => "JWT_PUBLIC_KEYS" in variables);
  return readConfig(["jwtPublicKeys", "refreshTokenTtlSeconds"], environment ?? {});
}
