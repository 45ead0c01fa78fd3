import { randomUUID } from "node:crypto";
import { createChange } from "../../accounts/change.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Mail } from "../../mail/store.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { hashToken } from "../../tokens/refresh-token.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { Proof, ProveCode } from "../prove-code.ts";

/** A sign-in by a mailed code as it came in. */
export interface CodeLogin extends Proof, SessionRequest {
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device?: string | undefined;
  /** The pairs that the browser had until now; nothing about them is known to be true. */
  pairs: PresentedToken[];
  requestId: string;
}

interface CodeLoginOptions {
  proveCode: ProveCode;
  users: Pick<UserStore, "find" | "proveAddress">;
  devices: Pick<Devices, "find" | "remember">;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  clock: Clock;
}

/** Makes the use case that opens a session by a code that was mailed to the address of the account. */
export function createLoginByCode(options: CodeLoginOptions) {
  const { proveCode, users, devices, pairs, openSession, endEarlierSessions, clock } = options;

  /**
   * Opens a session, once for each code; for the same Idempotency-Key again. Throws AppError `invalid_code`, `code_expired`,
   * `unavailable`.
   */
  return async function loginByCode(request: CodeLogin): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in, and no code is used up.
    await pairs.ready();
    const { idempotencyKey: key } = request;
    const use = { by: randomUUID(), keyHash: key === undefined ? undefined : hashToken(key) };
    const mail = await proveCode("login", request, use);
    // The sessions of the user may all be ended while we work; then start again, once.
    const opened = (await tryLogin(mail, request)) ?? (await tryLogin(mail, request));
    if (!opened) throw new AppError("unavailable");
    return opened;
  };

  async function tryLogin({ userId, email }: Mail, request: CodeLogin): Promise<OpenedSession | undefined> {
    const found = userId === undefined ? undefined : await users.find(userId);
    // The mailbox opens the account whose address it is now. A change of address raises the epoch: it shows at the re-read.
    if (!found || found.email !== email || isDisabled(found, clock())) throw new AppError("code_expired");
    const user = found.emailVerifiedAt === undefined ? await proveAddress(found, request) : found;
    const pair = user && (await openSession(user, request));
    if (!pair) return undefined;
    const kept = await devices.find(user.userId, request.device);
    const device = await devices.remember({ ...user, sessionId: pair.sessionId }, request.device);
    await endEarlierSessions(request.pairs, kept);
    return { pair, device };
  }

  async function proveAddress(user: User, { requestId, ...client }: CodeLogin): Promise<User | undefined> {
    const change = createChange("user_updated", { by: "code", client, requestId }, clock());
    return users.proveAddress(user, change);
  }
}
