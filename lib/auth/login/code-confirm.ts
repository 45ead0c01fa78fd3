import { randomUUID } from "node:crypto";
import { createChange } from "../../accounts/change.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Otp } from "../../factors/otp.ts";
import type { Mail } from "../../mail/mail.ts";
import type { MailStore, Use } from "../../mail/store.ts";
import { amrOf } from "../../sessions/amr.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { hashToken } from "../../tokens/refresh-token.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import { createLookAtFactor } from "../look-at-factor.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { Proof, ProveCode } from "../prove-code.ts";
import type { SecondFactor } from "../second-factor.ts";
import type { TellFactorRefused } from "../tell-factor-refused.ts";

/** A sign-in by a mailed code as it came in. */
export interface CodeLogin extends Proof, SessionRequest {
  /** A code of the second factor. */
  otp?: Otp | undefined;
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device?: string | undefined;
  /** The pairs that the browser had until now; nothing about them is known to be true. */
  pairs: PresentedToken[];
  requestId: string;
}

interface CodeLoginOptions {
  proveCode: ProveCode;
  mails: Pick<MailStore, "giveBack">;
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
  /** Undefined where nobody is told. */
  tellFactorRefused: TellFactorRefused | undefined;
  users: Pick<UserStore, "find" | "proveAddress">;
  devices: Pick<Devices, "find" | "remember">;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  clock: Clock;
}

/** Makes the use case that opens a session by a code that was mailed to the address of the account. */
export function createLoginByCode(options: CodeLoginOptions) {
  const { proveCode, mails, users, devices, pairs, openSession, endEarlierSessions, clock } = options;
  const lookAtOtp = createLookAtFactor(options);

  /**
   * Opens a session, once for each code; for the same Idempotency-Key again. An account with a second factor is asked for its
   * code, too, and a mailed code is not used up without it. Throws AppError `invalid_code`, `code_expired`,
   * `second_factor_required`, `invalid_otp`, `too_many_attempts`, `unavailable`.
   */
  return async function loginByCode(request: CodeLogin): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in, and no code is used up.
    await pairs.ready();
    const { idempotencyKey: key } = request;
    const use = { by: randomUUID(), at: clock(), keyHash: key === undefined ? undefined : hashToken(key) };
    const mail = await proveCode("login", request, use);
    // The sessions of the user may all be ended while we work; then start again, once.
    const opened = (await tryLogin(mail, use, request)) ?? (await tryLogin(mail, use, request));
    if (!opened) throw new AppError("unavailable");
    return opened;
  };

  async function tryLogin(mail: Mail, use: Use, request: CodeLogin): Promise<OpenedSession | undefined> {
    const { userId, email } = mail;
    const found = userId === undefined ? undefined : await users.find(userId);
    // The mailbox opens the account whose address it is now. A change of address raises the epoch: it shows at the re-read.
    if (!found || found.email !== email || isDisabled(found, clock())) throw new AppError("code_expired");
    const isFirstProof = found.emailVerifiedAt === undefined;
    const factor =
      found.totp && (await lookAtFactor(found, { ...request, provesEmail: isFirstProof }, mail, use));
    // Who has a second factor is no stranger: nothing is taken from the account.
    const user = isFirstProof && !factor ? await proveAddress(found, request) : found;
    const opened = factor ? { ...request, amr: amrOf.code } : request;
    const pair = user && (await openSession(user, opened, factor && { confirm: factor.claim }));
    if (!pair) return undefined;
    await factor?.succeed();
    const kept = await devices.find(user.userId, request.device);
    const device = await devices.remember({ ...user, sessionId: pair.sessionId }, request.device);
    await endEarlierSessions(request.pairs, kept);
    return { pair, device };
  }

  /** Counted as a wrong password is, and a mailed code that has not opened anything is good again. */
  async function lookAtFactor(
    user: User,
    request: CodeLogin & { provesEmail: boolean },
    mail: Mail,
    use: Use,
  ) {
    const giveBack = async (error: unknown): Promise<never> => {
      await mails.giveBack(mail, use).catch(() => undefined);
      throw error;
    };
    const looked = await lookAtOtp(user, request).catch(giveBack);
    return looked && { ...looked, claim: () => looked.claim().catch(giveBack) };
  }

  async function proveAddress(user: User, { requestId, ...client }: CodeLogin): Promise<User | undefined> {
    const change = createChange("user_updated", { by: "code", client, requestId }, clock());
    return users.proveAddress(user, change);
  }
}
