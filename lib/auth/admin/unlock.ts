import type { Operations } from "../../accounts/operations.ts";
import type { User } from "../../accounts/store.ts";
import { accountRow, deviceRow } from "../../attempts/forget-attempts.ts";
import { mailRow } from "../../attempts/mail-limit.ts";
import type { AttemptStore } from "../../attempts/store.ts";
import type { Clock } from "../../clock.ts";
import type { SessionStore } from "../../sessions/store.ts";
import type { KeyedHash } from "../../tokens/keyed-hash.ts";
import { createOperatorChange, type Operator } from "./operator.ts";

interface UnlockOptions {
  operations: Pick<Operations, "note">;
  attempts: Pick<AttemptStore, "clear">;
  sessions: Pick<SessionStore, "list">;
  keyedHash: Pick<KeyedHash, "hashes">;
  clock: Clock;
}

/** Makes the use case that has the attempts at an account forgotten. */
export function createUnlock({ operations, attempts, sessions, keyedHash, clock }: UnlockOptions) {
  /**
   * Forgets the attempts of strangers, those of browsers that have a session, and the mails that were asked for. Undefined if
   * there is no such user, or the account is being deleted. A function that has just refused somebody asks the table again
   * after five seconds. Throws AppError `unavailable`.
   */
  return async function unlock({ userId, email }: User, by: Operator): Promise<User | undefined> {
    const user = await operations.note(userId, createOperatorChange("authn_login_unlock", by, clock()));
    if (!user) return undefined;
    const opened = await sessions.list(userId, ["userId", "sessionId"]);
    for (const text of [accountRow(email), mailRow("code", email), ...opened.map(deviceRow)])
      for (const id of await keyedHash.hashes(text)) await attempts.clear(id);
    return user;
  };
}
