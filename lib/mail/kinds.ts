/** What mails with a code are for, and how many seconds the code is good; it counts only where it was asked for. */
export const codeKinds = { register: 3_600, reset: 3_600, email: 3_600, login: 600 } as const;

/** What mails with a link are for that anybody may use who has it, and how many seconds it is good. */
export const tokenKinds = { undo: 604_800, invitation: 604_800, recovery: 86_400 } as const;

/** A notice is worth sending for as long as the streams hold it: of users, then of mails. */
const noticeKinds = { notice: 172_800 } as const;

/** What a mail is for, and for how many seconds after it was asked for. */
export const kinds = { ...codeKinds, ...tokenKinds, ...noticeKinds };

/** What a mail with a code is for. */
export type CodeKind = keyof typeof codeKinds;
/** What a mail with a link is for that anybody may use who has it. */
export type TokenKind = keyof typeof tokenKinds;
/** What a mail is for. */
export type MailKind = keyof typeof kinds;

/** What notices tell. */
export const notices = [
  "passwordChanged",
  "passwordReset",
  "emailChanged",
  "emailUndone",
  "emailRestored",
  "newDevice",
  "totpAdded",
  "totpRemoved",
  "recoveryCodesMade",
  "recoveryCodeUsed",
  "factorRefused",
  "passkeyAdded",
  "passkeyRemoved",
  "identityLinked",
  "identityUnlinked",
  "accountDisabled",
  "accountDeleted",
] as const;

/** What a notice tells. */
export type Notice = (typeof notices)[number];
