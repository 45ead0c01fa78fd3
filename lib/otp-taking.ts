import { createFactorStore } from "./accounts/factors.ts";
import { createNameUse, type Purpose } from "./auth/name-use.ts";
import { createSecondFactor } from "./auth/second-factor.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { DynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { factorKeySettings, usersTable } from "./settings.ts";
import { openFactorSecrets } from "./tokens/open-factor-secrets.ts";

/** What every function that takes a code of a second factor reads. */
export const otpTakingSettings = { ...factorKeySettings, usersTable };

/** Makes, once per sandbox, what every function that takes a code of a second factor is made of. */
export function createOtpTaking(
  config: Config<keyof typeof otpTakingSettings>,
  { dynamodb, clock }: { dynamodb: DynamoDB; clock: Clock },
  purpose: Purpose,
) {
  const nameUse = createNameUse(purpose);
  const factors = createFactorStore(dynamodb, config.usersTable);
  const secrets = openFactorSecrets(config, clock);
  const noteRecovery = () => note({ by: "recovery" });
  const lookAtOtp = createSecondFactor({ factors, secrets, nameUse, clock, noteRecovery });
  return { factors, secrets, lookAtOtp, nameUse };
}
