import type { User } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import { nameDevice } from "../device-name.ts";
import { createMailId } from "../mail/codes.ts";
import { chooseLanguage, type Language } from "../mail/language.ts";
import type { NewMail } from "../mail/mail.ts";
import type { MailStore } from "../mail/store.ts";
import type { Client } from "../sessions/session.ts";

interface TellOptions {
  mails: Pick<MailStore, "put">;
  languages: readonly Language[];
  clock: Clock;
  /** A notice that cannot be put is no reason to refuse a login. */
  noteFailure: (error: unknown) => void;
}

/** Who has just registered knows that a browser is new. */
const quietSeconds = 3_600;

/** Tells of a login from a browser that the account does not know. */
export type TellNewDevice = ReturnType<typeof createTellNewDevice>;

/** Makes what tells the proven address of an account, by mail, that somebody signed in with a new browser. */
export function createTellNewDevice({ mails, languages, clock, noteFailure }: TellOptions) {
  return async function tellNewDevice(user: User, { ip, userAgent }: Client): Promise<void> {
    const now = clock();
    if (user.emailVerifiedAt === undefined || user.createdAt > now - quietSeconds) return;
    const notice: NewMail = {
      ...({ kind: "notice", notice: "newDevice" } as const),
      ...{ id: createMailId({ kind: "notice", email: user.email }), email: user.email, createdAt: now },
      language: chooseLanguage(user.language, languages),
      device: nameDevice(userAgent),
      ...(ip !== undefined && { ip }),
    };
    await mails.put(notice).catch(noteFailure);
  };
}
