import { recoveryCodeCount } from "../factors/second-factor.ts";
import type { User } from "./store.ts";

/** What may be told of the second factor of a user: when it was set up (epoch seconds), and how many recovery codes are left. */
export const summarizeFactors = ({ totp, recovery }: Pick<User, "totp" | "recovery">) => ({
  totp: totp ? { confirmedAt: totp.confirmedAt } : null,
  recoveryCodesLeft: recovery ? recoveryCodeCount - Object.keys(recovery.used).length : 0,
});
