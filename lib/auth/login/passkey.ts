import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { AssertionJson, UnverifiedAssertion } from "../../passkeys/assertion.ts";
import { invalidPasskey } from "../../passkeys/refusals.ts";
import { amrOfPasskey } from "../../sessions/amr.ts";
import { settleAll } from "../../settle-all.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import type { NameUse } from "../name-use.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { ProvePasskey } from "../prove-passkey.ts";
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
  passkeys: ProvePasskey;
  nameUse: NameUse;
  users: Pick<UserStore, "find">;
  devices: Pick<Devices, "find" | "isCurrent" | "remember">;
  sources: SourceLimit;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  /** Undefined where nobody is told. */
  tellNewDevice: TellNewDevice | undefined;
  clock: Clock;
}

/**
 * Makes the use case that opens a session with a passkey. No attempt of the account is counted: a signature cannot be
 * guessed, and nobody locks a passkey by guessing passwords.
 */
export function createLoginByPasskey(options: PasskeyLoginOptions) {
  const { passkeys, nameUse, users, devices, sources, pairs, openSession, clock } = options;

  /**
   * Opens a session, once for each challenge; for the same Idempotency-Key again. Throws AppError `invalid_passkey` – without
   * a request, where the answer is forged or late –, `unknown_passkey`, `too_many_requests`, `unavailable`.
   */
  return async function loginByPasskey(request: PasskeyLogin): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in.
    await pairs.ready();
    const asserted = await passkeys.parse(request.passkey);
    const [, user] = await settleAll([sources.count(request.ip), users.find(asserted.userId)]);
    const usedBy = nameUse(request.idempotencyKey);
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
    const claim = passkeys.look(user, asserted, usedBy);
    const { tellNewDevice } = options;
    const kept = await devices.find(user.userId, request.device);
    const isNew = !kept || !devices.isCurrent(kept, user);
    const pair = await openSession(
      user,
      { ...request, amr: amrOfPasskey },
      {
        confirm: claim,
        meanwhile: isNew && tellNewDevice ? () => tellNewDevice(user, request) : undefined,
      },
    );
    if (!pair) return undefined;
    const device = await devices.remember({ ...user, sessionId: pair.sessionId }, request.device);
    await options.endEarlierSessions(request.pairs, kept);
    return { pair, device };
  }
}
