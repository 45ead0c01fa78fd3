import { createChange } from "../../accounts/change.ts";
import { isBeingDeleted } from "../../accounts/is-disabled.ts";
import type { MovedUser, Moves } from "../../accounts/moves.ts";
import { isUndoable, type User, type UserStore } from "../../accounts/store.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUncommonPassword, assertUsablePassword } from "../../factors/password-policy.ts";
import type { Codes } from "../../mail/codes.ts";
import type { MailStore } from "../../mail/store.ts";
import type { Client } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { isAnsweredAgain } from "../lost-answer.ts";
import { createSweep, isSweepDue } from "../sweep.ts";

interface UndoEmailChangeOptions {
  codes: Pick<Codes, "openToken" | "isOf">;
  mails: Pick<MailStore, "find">;
  sources: SourceLimit;
  users: Pick<UserStore, "find" | "noteSwept">;
  moves: Pick<Moves, "undo">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  commonPasswords: ReadonlySet<string>;
  clock: Clock;
}

/** An undoing as it came in. */
export interface EmailUndoing extends Client {
  /** Of the mail that told of the change. */
  token: string;
  newPassword: string;
  requestId: string;
}

/** A thief who is in the account can come between a look and the write. */
const maxLooks = 4;

/** Makes the use case that takes an account back to the address before, and from whoever has changed it. */
export function createUndoEmailChange(options: UndoEmailChangeOptions) {
  const { codes, mails, sources, users, moves, sessions, commonPasswords, clock } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Undoes the change: the address before comes back, with a new password, and every session ends. Gives whose account it
   * is. Throws AppError `invalid_body`, `code_expired` – without a request, where the token is none of ours –,
   * `too_many_requests`, `unavailable`: it may be done then, and the same request or the next login ends what is left.
   */
  return async function undoEmailChange(request: EmailUndoing): Promise<Pick<User, "userId">> {
    const { token, newPassword, requestId, ...client } = request;
    const unusable = { commonPasswords, pointer: "#/newPassword" };
    assertUncommonPassword(newPassword, unusable);
    const id = await codes.openToken("undo", token);
    if (id === undefined) throw new AppError("code_expired");
    await sources.count(client.ip);
    const mail = await mails.find(id);
    const { userId, movedBy, email } = mail ?? {};
    if (userId === undefined || movedBy === undefined || !(mail && codes.isOf(mail)))
      throw new AppError("code_expired");
    // The token is right, and is so again with another password.
    assertUsablePassword(newPassword, { ...unusable, email });
    const passwordHash = await hashPassword(newPassword);
    const change = createChange("user_updated", { by: "undo", client, requestId }, clock());
    for (let look = 1; look <= maxLooks; look++) {
      const user = await users.find(userId);
      // The same request again, whose answer was lost: it set the very password that is there.
      const isDone = user?.resetBy === id && isAnsweredAgain(user.passwordChangedAt, clock());
      if (isDone && (await verifyPassword(user.passwordHash, newPassword))) return finish(user);
      // It was mailed to the address that the account had before.
      if (!isOfMove(user, movedBy) || user.previousEmail !== email) throw new AppError("code_expired");
      const undone = { ...user, sessionEpoch: user.sessionEpoch + 1 };
      if (await moves.undo(user, { undoneBy: id, passwordHash }, change)) return finish(undone);
    }
    throw new AppError("unavailable");
  };

  async function finish(user: User): Promise<Pick<User, "userId">> {
    if (isSweepDue(user)) await sweep(user);
    return user;
  }

  /** Answers whether it is this change that can be undone still. */
  function isOfMove(user: User | undefined, movedBy: string): user is MovedUser {
    const now = clock();
    return user?.movedBy === movedBy && !isBeingDeleted(user, now) && isUndoable(user, now);
  }
}
