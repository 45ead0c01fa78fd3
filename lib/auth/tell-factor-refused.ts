import type { User } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import { nameDevice } from "../device-name.ts";
import { deriveMailId } from "../mail/codes.ts";
import { chooseLanguage, type Language } from "../mail/language.ts";
import type { NewMail } from "../mail/mail.ts";
import type { MailStore } from "../mail/store.ts";
import type { Client } from "../sessions/session.ts";

interface TellOptions {
  mails: Pick<MailStore, "put">;
  languages: readonly Language[];
  clock: Clock;
  /** A notice that cannot be put changes no refusal. */
  noteFailure: (error: unknown) => void;
}

const daySeconds = 86_400;

/** Tells of wrong codes of a second factor at a login whose first factor was right. */
export type TellFactorRefused = ReturnType<typeof createTellFactorRefused>;

/**
 * Makes what tells the proven address of an account, by mail and once a day at most, that somebody has its first factor and not
 * its second (OWASP ASVS 6.3.5).
 */
export function createTellFactorRefused({ mails, languages, clock, noteFailure }: TellOptions) {
  return async function tellFactorRefused(user: User, { ip, userAgent }: Client): Promise<void> {
    const { userId, email, emailVerifiedAt, language } = user;
    if (emailVerifiedAt === undefined) return;
    const now = clock();
    const day = Math.floor(now / daySeconds);
    const notice: NewMail = {
      ...({ kind: "notice", notice: "factorRefused" } as const),
      ...{ id: deriveMailId(`factor:${userId}:${day}`, { kind: "notice", email }), email, createdAt: now },
      language: chooseLanguage(language, languages),
      device: nameDevice(userAgent),
      ...(ip !== undefined && { ip }),
    };
    await mails.put(notice).catch(noteFailure);
  };
}
