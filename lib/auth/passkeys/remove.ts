import { createChange } from "../../accounts/change.ts";
import type { Clock } from "../../clock.ts";
import { findPasskey, isPasskeyId } from "../../passkeys/passkey.ts";
import { lastSignInMethod, noPasskey } from "../../passkeys/refusals.ts";
import type { PasskeyStore } from "../../passkeys/store.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent } from "../current-user.ts";
import { assertMayChangeFactor } from "../factor-owner.ts";

interface RemovePasskeyOptions {
  passkeys: Pick<PasskeyStore, "remove">;
  clock: Clock;
}

/** Makes the use case that removes a passkey of the caller's. */
export function createRemovePasskey({ passkeys, clock }: RemovePasskeyOptions) {
  /** Throws AppError `insufficient_user_authentication`, `not_found`, `last_sign_in_method`, `invalid_token`, `unavailable`. */
  return async function removePasskey(
    caller: Session,
    passkeyId: unknown,
    { requestId, ...client }: Client & { requestId: string },
  ): Promise<void> {
    if (!isPasskeyId(passkeyId)) throw noPasskey();
    const now = clock();
    const change = createChange("passkey_removed", { by: "user", client, requestId }, now);
    const { isWritten, user } = await passkeys.remove(caller, passkeyId, change);
    // The SDK's retry of our own write is known by the change.
    if (isWritten || user?.lastChange?.id === change.id) return;
    assertCurrent(user, caller, now);
    assertMayChangeFactor(user, caller);
    if (!findPasskey(user, passkeyId)) throw noPasskey();
    throw lastSignInMethod();
  };
}
