import type { Operations } from "../../accounts/operations.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { createMailId } from "../../mail/codes.ts";
import { kinds } from "../../mail/kinds.ts";
import { chooseLanguage, type Language } from "../../mail/language.ts";
import type { NewMail } from "../../mail/mail.ts";
import type { MailStore } from "../../mail/store.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";
import { createOperatorChange, type Operator } from "./operator.ts";

interface RecoverOptions {
  users: Pick<UserStore, "noteSwept">;
  operations: Pick<Operations, "note" | "removePassword">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  mails: Pick<MailStore, "put">;
  languages: readonly Language[];
  clock: Clock;
}

/** Whose password is to be set anew, and whether the old one is over at once. */
export interface Recovery {
  user: User;
  now: boolean;
  by: Operator;
}

/** Makes the use case by which an operator has a user set a new password. */
export function createRecover({ users, operations, sessions, mails, languages, clock }: RecoverOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Mails a link with which a new password can be set for a day; nobody but its reader sees it. With `now` the old password is
   * over at once, and every session; else both go on until the link is used. Undefined if there is no such user, or the account
   * is being deleted. Throws AppError `account_disabled`, `unavailable`.
   */
  return async function recover({ user: { userId, disabledAt }, now, by }: Recovery) {
    if (disabledAt !== undefined)
      throw new AppError("account_disabled", {
        detail: "The account is disabled, and no link would open it. Enable it first.",
      });
    const createdAt = clock();
    const change = createOperatorChange("authn_recovery_begun", by, createdAt);
    const user = await operations[now ? "removePassword" : "note"](userId, change);
    if (!user) return undefined;
    const { email, language } = user;
    const id = createMailId({ kind: "recovery", email });
    const mail: NewMail = {
      ...{ id, kind: "recovery", email, userId, createdAt, invitedBy: by.by, changeId: change.id },
      language: chooseLanguage(language, languages),
    };
    await mails.put(mail);
    if (now) await sweep(user);
    return { user, mailId: id, validUntil: createdAt + kinds.recovery };
  };
}
