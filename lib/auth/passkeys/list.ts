import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { viewPasskeys } from "../../passkeys/passkey.ts";
import type { Session } from "../../sessions/session.ts";
import { getCurrentUser } from "../current-user.ts";

interface ListPasskeysOptions {
  users: Pick<UserStore, "find">;
  rpId: string;
  clock: Clock;
}

/** Makes the use case that lists the caller's passkeys. */
export function createListPasskeys({ users, rpId, clock }: ListPasskeysOptions) {
  /**
   * Lists the passkeys, with what a page tells the browser's store of them (`signalAllAcceptedCredentials`). Throws AppError
   * `invalid_token`, `unavailable`.
   */
  return async function listPasskeys(caller: Session) {
    const { userId, passkeys } = await getCurrentUser(users, caller, clock());
    return { rpId, userHandle: Buffer.from(userId).toString("base64url"), passkeys: viewPasskeys(passkeys) };
  };
}
