import { randomUUID } from "node:crypto";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import {
  type AssertionJson,
  isSignedBy,
  type ParseAssertion,
  type UnverifiedAssertion,
} from "../../passkeys/assertion.ts";
import { findPasskey, type Passkey } from "../../passkeys/passkey.ts";
import { PasskeyError } from "../../passkeys/passkey-error.ts";
import { invalidPasskey, unknownPasskey } from "../../passkeys/refusals.ts";
import type { ClaimPasskey, PasskeyUse } from "../../passkeys/store.ts";
import { amrOfPasskey } from "../../sessions/amr.ts";
import { settleAll } from "../../settle-all.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { hashToken } from "../../tokens/refresh-token.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { TellNewDevice } from "../tell-new-device.ts";

/** A sign-in with a passkey as it came in. */
export interface PasskeyLogin extends SessionRequest {
  passkey: AssertionJson;
  /** What the browser keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
  /** The pairs that the browser had until now; nothing about them is known to be true. */
  pairs: PresentedToken[];
}

interface PasskeyLoginOptions {
  parseAssertion: ParseAssertion;
  users: Pick<UserStore, "find">;
  claimPasskey: ClaimPasskey;
  devices: Pick<Devices, "find" | "isCurrent" | "remember">;
  sources: SourceLimit;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  /** Undefined where nobody is told. */
  tellNewDevice: TellNewDevice | undefined;
  /** Told of a passkey that says what it should not; the login goes on. */
  noteSuspect: () => void;
  clock: Clock;
}

/**
 * Makes the use case that opens a session with a passkey. No attempt of the account is counted: a signature cannot be
 * guessed, and nobody locks a passkey by guessing passwords.
 */
export function createLoginByPasskey(options: PasskeyLoginOptions) {
  const { parseAssertion, users, claimPasskey, devices, sources, pairs, openSession, clock } = options;

  /**
   * Opens a session, once for each challenge; for the same Idempotency-Key again. Throws AppError `invalid_passkey` – without
   * a request, where the answer is forged or late –, `unknown_passkey`, `too_many_requests`, `unavailable`.
   */
  return async function loginByPasskey(request: PasskeyLogin): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in.
    await pairs.ready();
    const asserted = await parseAssertion(request.passkey).catch(refuse);
    const [, user] = await settleAll([sources.count(request.ip), users.find(asserted.userId)]);
    const { idempotencyKey: key } = request;
    const usedBy = key === undefined ? randomUUID() : hashToken(key);
    // The sessions of the user may all be ended while we work; then start again, once.
    const opened =
      (await tryLogin(user, asserted, usedBy, request)) ??
      (await tryLogin(await users.find(asserted.userId), asserted, usedBy, request));
    if (!opened) throw new AppError("unavailable");
    return opened;
  };

  async function tryLogin(
    user: User | undefined,
    asserted: UnverifiedAssertion,
    usedBy: string,
    request: PasskeyLogin,
  ): Promise<OpenedSession | undefined> {
    // Another project on localhost has users, too: of whom nothing is known nothing is said.
    if (!user || isDisabled(user, clock())) throw invalidPasskey("account gone");
    const passkey = findPasskey(user, asserted.passkeyId);
    if (!passkey) throw unknownPasskey();
    if (!isSignedBy(passkey, asserted)) throw invalidPasskey("wrong signature");
    if (isSuspect(passkey, asserted)) options.noteSuspect();
    const { tellNewDevice } = options;
    const kept = await devices.find(user.userId, request.device);
    const isNew = !kept || !devices.isCurrent(kept, user);
    const { passkeyId, challengedAt, state } = asserted;
    const use = { passkeyId, publicKey: passkey.publicKey, challengedAt, usedBy, state };
    const pair = await openSession(
      user,
      { ...request, amr: amrOfPasskey },
      {
        confirm: () => claim(user, use),
        meanwhile: isNew && tellNewDevice ? () => tellNewDevice(user, request) : undefined,
      },
    );
    if (!pair) return undefined;
    const device = await devices.remember({ ...user, sessionId: pair.sessionId }, request.device);
    await options.endEarlierSessions(request.pairs, kept);
    return { pair, device };
  }

  /** False where all sessions of the user were ended meanwhile, or the account is disabled. */
  async function claim(user: User, use: PasskeyUse): Promise<boolean> {
    const { isWritten, user: latest } = await claimPasskey(user, use, clock());
    if (isWritten) return true;
    if (latest?.sessionEpoch !== user.sessionEpoch || isDisabled(latest, clock())) return false;
    if (!findPasskey(latest, use.passkeyId)) throw unknownPasskey();
    throw invalidPasskey("challenge used");
  }
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
