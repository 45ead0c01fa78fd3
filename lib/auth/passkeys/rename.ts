import type { Clock } from "../../clock.ts";
import { findPasskey, isPasskeyId, type PasskeyView, viewPasskey } from "../../passkeys/passkey.ts";
import { noPasskey } from "../../passkeys/refusals.ts";
import type { PasskeyStore } from "../../passkeys/store.ts";
import type { Session } from "../../sessions/session.ts";
import { assertCurrent } from "../current-user.ts";

interface RenamePasskeyOptions {
  passkeys: Pick<PasskeyStore, "rename">;
  clock: Clock;
}

/** Makes the use case that calls a passkey of the caller's by another name. */
export function createRenamePasskey({ passkeys, clock }: RenamePasskeyOptions) {
  /** Throws AppError `not_found`, `invalid_token`, `unavailable`. */
  return async function renamePasskey(
    caller: Session,
    passkeyId: unknown,
    name: string,
  ): Promise<PasskeyView> {
    if (!isPasskeyId(passkeyId)) throw noPasskey();
    const now = clock();
    const { user } = await passkeys.rename(caller, passkeyId, name, now);
    assertCurrent(user, caller, now);
    const passkey = findPasskey(user, passkeyId);
    if (!passkey) throw noPasskey();
    return viewPasskey(passkeyId, passkey);
  };
}
