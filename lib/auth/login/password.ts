import { randomUUID } from "node:crypto";
import {
  emailIdentity,
  type IdentityEntry,
  type IdentityStore,
  isNamedBy,
} from "../../accounts/identities.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Otp } from "../../factors/otp.ts";
import { hashPassword } from "../../factors/password-hash.ts";
import { verifyStoredPassword } from "../../factors/stored-password.ts";
import { amrOf } from "../../sessions/amr.ts";
import { settleAll } from "../../settle-all.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import { createTellRefusal } from "../look-at-factor.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { SecondFactor } from "../second-factor.ts";
import type { TellFactorRefused } from "../tell-factor-refused.ts";
import type { TellNewDevice } from "../tell-new-device.ts";

/** A login as it came in; the e-mail address is normalised. */
export interface LoginRequest extends SessionRequest {
  email: string;
  password: string;
  /** A code of the second factor. */
  otp?: Otp | undefined;
  /** What the browser keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
  /** The pairs that the browser had until now; nothing about them is known to be true. */
  pairs: PresentedToken[];
  requestId: string;
}

interface LoginOptions {
  identities: Pick<IdentityStore, "find">;
  users: Pick<UserStore, "find" | "replacePasswordHash">;
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
  devices: Pick<Devices, "remember">;
  sources: SourceLimit;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  /** Undefined where nobody is told. */
  tellNewDevice: TellNewDevice | undefined;
  tellFactorRefused: TellFactorRefused | undefined;
  clock: Clock;
}

/** Makes the use case that opens a session by e-mail address and password. */
export function createLogin({
  identities,
  users,
  attempts,
  lookAtOtp,
  devices,
  sources,
  pairs,
  openSession,
  endEarlierSessions,
  tellNewDevice,
  tellFactorRefused,
  clock,
}: LoginOptions) {
  const tellRefusal = createTellRefusal(tellFactorRefused);

  /**
   * Opens a session. Throws AppError `invalid_credentials`, `second_factor_required` and `invalid_otp` (to whoever has the
   * password), `too_many_attempts`, `too_many_requests`, `unavailable`.
   */
  return async function login(request: LoginRequest): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in, and nothing is counted.
    await pairs.ready();
    // Before anything is counted at the account: an address that is over its limit must not lock one.
    const [, entry] = await settleAll([
      sources.count(request.ip),
      identities.find(emailIdentity(request.email)),
    ]);
    // The sessions of the user may all be ended while we work; then start again, once.
    const opened = (await tryLogin(request, entry)) ?? (await tryLogin(request, entry));
    if (!opened) throw new AppError("unavailable");
    return opened;
  };

  async function tryLogin(
    request: LoginRequest,
    entry: IdentityEntry | undefined,
  ): Promise<OpenedSession | undefined> {
    const { email, password, device } = request;
    // Counted before the password is looked at, and with the same requests whether or not the user exists.
    const { userId } = entry ?? { userId: randomUUID() };
    const [counted, found] = await settleAll([attempts.count({ email, userId }, device), users.find(userId)]);
    const user = entry && isNamedBy(entry, found) ? found : undefined;
    const attempt = await attempts.recount(counted, user);
    const { isVerified, isRehashDue } = await verifyStoredPassword(user, password);
    if (!user || isDisabled(user, clock()) || !isVerified) throw new AppError("invalid_credentials");

    const claim = await lookAtOtp(user, request).catch((error: unknown) =>
      tellRefusal(error, attempt, user, request),
    );
    // A browser that was known goes on with a new row.
    const forget = async () => attempt.device ?? (await attempts.succeed(attempt));
    const isNew = attempt.device === undefined;
    const tell = isNew && tellNewDevice ? () => tellNewDevice(user, request) : undefined;
    // With a second factor nobody is in before its code is used up: whoever has the password alone has unlimited guesses else.
    if (!claim) await forget();
    const pair = claim
      ? await openSession(user, { ...request, amr: amrOf.password }, { confirm: claim })
      : await openSession(user, request, { meanwhile: tell });
    if (!pair) return undefined;
    if (claim) await settleAll([forget(), tell?.()]);
    const { sessionId } = pair;
    const remembered = await devices.remember({ ...user, sessionId }, device);
    // An entry that no longer counts as a known browser's still names the session that this browser had.
    await settleAll([
      endEarlierSessions(request.pairs, counted.device),
      isRehashDue ? rehash(user, password) : undefined,
    ]);
    return { pair, device: remembered };
  }

  /** Not worth refusing a login for: the next one tries again. */
  async function rehash({ userId, passwordHash: from = "" }: User, password: string): Promise<void> {
    const to = await hashPassword(password);
    await users.replacePasswordHash(userId, { from, to }).catch(() => false);
  }
}
