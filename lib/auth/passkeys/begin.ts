import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import type { PasskeyChallenges } from "../../passkeys/challenge.ts";
import { createCreationOptions } from "../../passkeys/options.ts";
import { maxPasskeys } from "../../passkeys/passkey.ts";
import { tooManyPasskeys } from "../../passkeys/refusals.ts";
import type { Session } from "../../sessions/session.ts";
import { getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

interface BeginPasskeyOptions {
  users: Pick<UserStore, "find">;
  challenges: Pick<PasskeyChallenges, "create">;
  rpId: string;
  /** What dialogs call the application. */
  rpName: string;
  /** Where mail is on, a passkey is only for a proven address. */
  hasMail: boolean;
  clock: Clock;
}

/** Makes the use case that begins a new passkey. */
export function createBeginPasskey({ users, challenges, rpId, rpName, hasMail, clock }: BeginPasskeyOptions) {
  /**
   * Gives what the browser makes a passkey by. Throws AppError `insufficient_user_authentication`, `email_unproven`, `too_many_passkeys`, `invalid_token`,
   * `unavailable`.
   */
  return async function beginPasskey(caller: Session) {
    const user = await getCurrentUser(users, caller, clock());
    assertMayChangeFactor(user, caller);
    assertProven(user, hasMail);
    if (Object.keys(user.passkeys ?? {}).length >= maxPasskeys) throw tooManyPasskeys();
    const challenge = await challenges.create(`create:${user.userId}`);
    return createCreationOptions({ id: rpId, name: rpName }, user, challenge);
  };
}
