import type { User } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import {
  type AssertionJson,
  isSignedBy,
  type ParseAssertion,
  type UnverifiedAssertion,
} from "../passkeys/assertion.ts";
import { findPasskey, type Passkey } from "../passkeys/passkey.ts";
import { PasskeyError } from "../passkeys/passkey-error.ts";
import { invalidPasskey, unknownPasskey } from "../passkeys/refusals.ts";
import type { ClaimPasskey, PasskeyUse } from "../passkeys/store.ts";

interface ProvePasskeyOptions {
  parseAssertion: ParseAssertion;
  claimPasskey: ClaimPasskey;
  /** Told of a passkey that says what it should not; it counts all the same. */
  noteSuspect: () => void;
  clock: Clock;
}

/** Proves users by their passkeys. */
export type ProvePasskey = ReturnType<typeof createProvePasskey>;

/** Makes the proof by a passkey: an answer to a challenge of `POST /auth/login/challenge`, which counts once. */
export function createProvePasskey({
  parseAssertion,
  claimPasskey,
  noteSuspect,
  clock,
}: ProvePasskeyOptions) {
  /** False where all sessions of the user were ended meanwhile, or the account is disabled. */
  async function claim(user: User, use: PasskeyUse): Promise<boolean> {
    const { isWritten, user: latest } = await claimPasskey(user, use, clock());
    if (isWritten) return true;
    if (latest?.sessionEpoch !== user.sessionEpoch || latest.disabledAt !== undefined) return false;
    if (!findPasskey(latest, use.passkeyId)) throw unknownPasskey();
    throw invalidPasskey("challenge used");
  }

  return {
    /** Checks an answer, all but its signature. Throws AppError `invalid_passkey`, `unavailable`. */
    parse: (answer: AssertionJson): Promise<UnverifiedAssertion> => parseAssertion(answer).catch(refuse),

    /**
     * Looks whether the user has signed it, and gives what uses it up: that gives false if the user is not as it was read, and
     * throws what this throws. `usedBy` names the use (name-use.ts). Throws AppError `invalid_passkey`, `unknown_passkey`.
     */
    look(user: User, asserted: UnverifiedAssertion, usedBy: string): () => Promise<boolean> {
      const passkey = findPasskey(user, asserted.passkeyId);
      if (!passkey) throw unknownPasskey();
      if (!isSignedBy(passkey, asserted)) throw invalidPasskey("wrong signature");
      if (isSuspect(passkey, asserted)) noteSuspect();
      const { passkeyId, challengedAt, state } = asserted;
      return () => claim(user, { passkeyId, publicKey: passkey.publicKey, challengedAt, usedBy, state });
    },
  };
}

/**
 * A counter that does not rise – unless it never does –, or a passkey that can suddenly be copied, or no longer: a copy may
 * be about. Synchronised passkeys and some authenticators do that as well (WebAuthn Level 3, 6.1.1), so it is no refusal.
 */
function isSuspect({ signCount, isBackupEligible }: Passkey, { state }: UnverifiedAssertion): boolean {
  const isCounting = signCount > 0 || state.signCount > 0;
  return (isCounting && state.signCount <= signCount) || state.isBackupEligible !== isBackupEligible;
}

function refuse(error: unknown): never {
  throw error instanceof PasskeyError ? invalidPasskey(error.reason, error) : error;
}
