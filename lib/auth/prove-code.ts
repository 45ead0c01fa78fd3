import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Challenges, Codes } from "../mail/codes.ts";
import type { CodeKind } from "../mail/kinds.ts";
import type { Mail } from "../mail/mail.ts";
import type { MailStore, Use } from "../mail/store.ts";

interface ProveCodeOptions {
  mails: Pick<MailStore, "prove">;
  challenges: Pick<Challenges, "open">;
  codes: Pick<Codes, "isRight" | "isOf">;
  clock: Clock;
}

/** What comes back of a mail: what was answered to whoever asked, and the code as it is compared. */
export interface Proof {
  challenge: string;
  code: string;
}

/** Proves that whoever asked has got the mail. */
export type ProveCode = ReturnType<typeof createProveCode>;

/** Makes the proof of a mailed code. */
export function createProveCode({ mails, challenges, codes, clock }: ProveCodeOptions) {
  /**
   * Gives the mail of a right code. A right code may be repeated while it is good: what it does once is bounded by the write
   * that follows, or by `use`. Throws AppError `code_expired` – without a request, where the challenge is none of ours for
   * this kind –, `invalid_code`, `unavailable`.
   */
  return async function proveCode(kind: CodeKind, { challenge, code }: Proof, use?: Use): Promise<Mail> {
    const id = await challenges.open(kind, challenge);
    if (id === undefined) throw new AppError("code_expired");
    // Compared before it is counted, and counted in either case: no guess is looked at that is not.
    const isRight = await codes.isRight(kind, id, code);
    const mail = await mails.prove({ kind, id, isRight, use }, clock());
    if (!mail) throw new AppError("code_expired");
    if (!isRight)
      throw new AppError("invalid_code", { detail: "The code is not right.", reason: "wrong code" });
    // Somebody has written another address into it.
    if (!codes.isOf(mail)) throw new AppError("code_expired");
    return mail;
  };
}
