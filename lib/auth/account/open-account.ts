import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import { emailTaken } from "../../accounts/email-taken.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Mail } from "../../mail/mail.ts";
import type { MailStore } from "../../mail/store.ts";
import type { Client } from "../../sessions/session.ts";
import type { TransactItem } from "../../transaction.ts";
import { isAnsweredAgain } from "../lost-answer.ts";

/** What an account is opened with. */
export interface OpenAccountOptions {
  mails: Pick<MailStore, "toUse">;
  directory: Pick<Directory, "register">;
  clock: Clock;
}

/** What whoever opens an account sends, beside the first way into it. */
export interface NewAccount extends Client {
  requestId: string;
}

/** The first way into an account. */
export interface FirstWay {
  /** What the user's item has of it. */
  stored: Pick<User, "passwordHash"> | Pick<User, "passkeys">;
  /** Answers whether an account has the same one: the request that made it may come again. */
  isOf: (user: User) => boolean | Promise<boolean>;
}

/** Makes it for an account to be; `now` is in epoch seconds. */
export type MakeFirstWay = (account: OpenedAccount, now: number) => Promise<FirstWay>;

/** An account as it is answered. */
export type OpenedAccount = Pick<User, "userId" | "email">;

/** Makes the one way to an account whose address is proven by a mail; it opens no session. */
export function createOpenAccount({ mails, directory, clock }: OpenAccountOptions) {
  /**
   * Creates the account, once for each mail; `by` stands in its record, and `uses` is what else the mail counts by. Throws what
   * `makeWay` throws – the mail counts then, and does so again –, AppError `code_expired`, `email_taken` (only whoever has the
   * mailbox learns of it), `unavailable`.
   */
  return async function openAccount(
    { id, email, newUserId: userId, language, usedAt, roles }: Mail,
    makeWay: MakeFirstWay,
    { requestId, ...client }: NewAccount,
    { by, uses = [] }: { by: "user" | "invitation"; uses?: TransactItem[] },
  ): Promise<OpenedAccount> {
    if (userId === undefined || !isAnsweredAgain(usedAt, clock())) throw new AppError("code_expired");
    const way = await makeWay({ userId, email }, clock());
    const now = clock();
    const user: User = {
      ...{ userId, email, emailVerifiedAt: now, language, ...way.stored },
      ...{ sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
      ...(roles && { roles }),
      lastChange: {
        ...createChange("user_created", { by, client, requestId }, now),
        ...(roles && { roles }),
      },
    };
    const outcome = await directory.register(user, [mails.toUse(id, now), ...uses]);
    if (outcome.is === "taken") throw emailTaken();
    if (outcome.is === "used" && !(await isRepeat(outcome.user))) throw new AppError("code_expired");
    return { userId, email };

    /** The same request again, whose answer was lost: the account that it made is there, with the same way into it. */
    async function isRepeat(found: User | undefined): Promise<boolean> {
      return found?.email === email && !isDisabled(found, now) && (await way.isOf(found));
    }
  };
}
