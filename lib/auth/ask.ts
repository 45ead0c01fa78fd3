import type { MailLimit } from "../attempts/mail-limit.ts";
import type { Clock } from "../clock.ts";
import { nameDevice } from "../device-name.ts";
import { type Challenges, codeBegins, createMailId } from "../mail/codes.ts";
import { type CodeKind, codeKinds } from "../mail/kinds.ts";
import { chooseLanguage, type Language } from "../mail/language.ts";
import type { NewMail } from "../mail/mail.ts";
import type { MailStore } from "../mail/store.ts";

interface AskOptions {
  mails: Pick<MailStore, "put">;
  mailLimit: MailLimit;
  challenges: Pick<Challenges, "issue">;
  languages: readonly Language[];
  clock: Clock;
}

/** Who asks, as far as the mail tells of it. */
export interface Asker {
  ip: string | undefined;
  userAgent: string | undefined;
  acceptLanguage: string | undefined;
}

/** What a code is asked for: its kind, the normalised address that it goes to, and what is to be known when it comes back. */
export type Wish = { kind: CodeKind; email: string } & Pick<
  NewMail,
  "newUserId" | "userId" | "fromEmail" | "sessionId"
>;

/** What is answered to whoever asks: it opens nothing without the code. */
export interface Asked {
  challenge: string;
  /** The first character of the code, by which it is known among others. */
  codeBegins: string;
  /** Seconds for which the code is good. */
  expiresIn: number;
}

/** Asks for a mail with a code. */
export type Ask = ReturnType<typeof createAsk>;

/**
 * Makes the use case of every route that mails a code. It does not know who exists: whatever is asked for, the same
 * requests are sent, and the same is answered. Who sends the mail looks the account up (lib/mail/deliver.ts).
 */
export function createAsk({ mails, mailLimit, challenges, languages, clock }: AskOptions) {
  /**
   * Counts the address, and puts one mail to be sent. The source has been counted: one that is over its limit must not use up
   * the mails of an address, nor the attempts of an account. Throws AppError `too_many_requests`, `unavailable`.
   */
  return async function ask({ kind, ...wish }: Wish, asker: Asker): Promise<Asked> {
    const { ip, userAgent, acceptLanguage } = asker;
    const id = createMailId({ kind, email: wish.email });
    const challenge = await challenges.issue(kind, id);
    await mailLimit.count(wish.email, "code");
    await mails.put({
      ...{ id, kind, ...wish, createdAt: clock() },
      language: chooseLanguage(acceptLanguage, languages),
      device: nameDevice(userAgent),
      ...(ip !== undefined && { ip }),
    });
    return { challenge, codeBegins: codeBegins(id), expiresIn: codeKinds[kind] };
  };
}
