import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Codes } from "../mail/codes.ts";
import type { TokenKind } from "../mail/kinds.ts";
import type { Mail } from "../mail/mail.ts";
import type { MailStore } from "../mail/store.ts";

interface ProveTokenOptions {
  codes: Pick<Codes, "openToken" | "isOf">;
  mails: Pick<MailStore, "find">;
  clock: Clock;
}

/** Proves that somebody has got a mail with a link that is good wherever it is used. */
export type ProveToken = ReturnType<typeof createProveToken>;

/** Makes the proof of a mailed token. */
export function createProveToken({ codes, mails, clock }: ProveTokenOptions) {
  /**
   * Gives the mail of a token that is still good; what it does once is bounded by the write that follows. Throws AppError
   * `code_expired` – without a request, where the token is none of ours –, `unavailable`.
   */
  return async function proveToken(kind: TokenKind, token: string): Promise<Mail> {
    const id = await codes.openToken(kind, token);
    const mail = id === undefined ? undefined : await mails.find(id);
    const isGood = mail?.kind === kind && codes.isOf(mail) && mail.validUntil > clock();
    if (!isGood) throw new AppError("code_expired");
    return mail;
  };
}
