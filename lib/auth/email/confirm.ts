import { createChange } from "../../accounts/change.ts";
import { emailTaken } from "../../accounts/email-taken.ts";
import { isMovedBy, type Moves } from "../../accounts/moves.ts";
import { assertNotUndoable, type User, type UserStore } from "../../accounts/store.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Mail } from "../../mail/mail.ts";
import type { Session } from "../../sessions/session.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { assertCurrent } from "../current-user.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { Proof, ProveCode } from "../prove-code.ts";

interface ConfirmEmailChangeOptions {
  proveCode: ProveCode;
  users: Pick<UserStore, "find" | "proveEmail">;
  moves: Pick<Moves, "move">;
  devices: Pick<Devices, "remember">;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  clock: Clock;
}

/** A confirmation as it came in. */
export interface EmailConfirmation extends Proof, Omit<SessionRequest, "replaced"> {
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
  requestId: string;
}

/** Makes the use case that changes the address of an account with a mailed code, or proves the one that it has. */
export function createConfirmEmailChange(options: ConfirmEmailChangeOptions) {
  const { proveCode, users, moves, devices, pairs, openSession, clock } = options;

  /**
   * Changes the address, ends every session and gives the caller a new one; whoever proves the address that the account has
   * keeps theirs. Where it broke off, the same request goes on. Throws AppError `invalid_code`, `code_expired`,
   * `email_taken`, `email_changed_recently`, `invalid_token`, `unavailable`: the address may have been changed then, and the
   * next login ends what is left.
   */
  return async function confirmEmailChange(
    caller: Session,
    request: EmailConfirmation,
  ): Promise<{ email: string; opened?: OpenedSession }> {
    // Without a key to sign with nothing is changed.
    await pairs.ready();
    const mail = await proveCode("email", request);
    // Nobody else who has got the code, or a challenge, is made the owner of anything.
    if (mail.userId !== caller.userId || mail.sessionId !== caller.sessionId)
      throw new AppError("code_expired");
    const found = await users.find(caller.userId);
    const user = isMovedBy(found, mail.id, caller) ? found : await change(found, caller, mail, request);
    const { email } = user;
    // No pair is given where none is new: the caller's may have been renewed since it was read.
    if (user.sessionEpoch === caller.sessionEpoch) return { email };
    const pair = await openSession(user, { ...request, replaced: caller });
    if (!pair) throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
    const { sessionId } = pair;
    const device = await devices.remember({ ...user, sessionId }, request.device);
    return { email, opened: { pair, device } };
  };

  /** Gives the user as it is then. */
  async function change(
    user: User | undefined,
    caller: Session,
    { id, email, fromEmail }: Mail,
    { requestId, ...client }: EmailConfirmation,
  ): Promise<User> {
    const now = clock();
    assertCurrent(user, caller, now);
    if (fromEmail !== user.email) throw new AppError("code_expired");
    const record = createChange("user_updated", { by: "user", client, requestId }, now);
    if (email === user.email) {
      if (await users.proveEmail(caller, email, record)) return user;
      throw new AppError("unavailable");
    }
    assertNotUndoable(user, now);
    const move = { from: fromEmail, isProven: user.emailVerifiedAt !== undefined, to: email, movedBy: id };
    const outcome = await moves.move(caller, move, record);
    if (outcome === "taken") throw emailTaken();
    // Something has come between: all of it has to be looked at anew.
    if (outcome === "overtaken") throw new AppError("unavailable");
    return { ...user, email, sessionEpoch: caller.sessionEpoch + 1 };
  }
}
