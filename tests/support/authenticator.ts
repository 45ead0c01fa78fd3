import { HOTP, Secret, TOTP } from "otpauth";
import {
  createFactorName,
  createFactorSecrets,
  stepSeconds,
  toBase32,
} from "../../lib/factors/second-factor.ts";
import { importHashKeys, parseHashKeySet } from "../../lib/tokens/hash-keys.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { clock } from "./clock.ts";
import { keepSecrets } from "./log.ts";
import type { Account, Service } from "./service.ts";

/** The code that an app with this secret, in base32, shows now. */
export const codeOf = (secret: string): string =>
  new TOTP({ secret }).generate({ timestamp: clock.now * 1000 });

export type Authenticator = Awaited<ReturnType<ReturnType<typeof createAuthenticators>>>;

/** Gives accounts a second factor past the service, as if it had been set up; each gets an app and recovery codes. */
export function createAuthenticators({ database, environment }: Pick<Service, "database" | "environment">) {
  const keys = importHashKeys(parseHashKeySet(environment.FACTOR_KEYS ?? ""));
  const hashKeys = { ready: async () => {}, get: async () => keys };
  const secrets = createFactorSecrets(createKeyedHash({ hashKeys, clock: () => clock.now }));

  return async function addFactor({ userId }: Pick<Account, "userId">, at = clock.now) {
    const enrolment = createFactorName(at);
    const totp = { enrolment, step: 0, confirmedAt: at };
    const recovery = { seriesId: enrolment, used: {}, createdAt: at };
    await database.change("users", { userId }, { totp, recovery });
    const secret = Secret.fromBase32(toBase32(await secrets.deriveTotp(userId, enrolment)));
    const recoveryCodes = await secrets.deriveRecoveryCodes(userId, enrolment);
    keepSecrets(secret.base32, ...recoveryCodes);
    return {
      recoveryCodes,
      /** The code that the app shows so many steps from now. */
      codeAt: (steps = 0) => HOTP.generate({ secret, counter: Math.floor(clock.now / stepSeconds) + steps }),
    };
  };
}
