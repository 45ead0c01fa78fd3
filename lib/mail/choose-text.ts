import type { Mail } from "./mail.ts";
import type { Recipients } from "./recipients.ts";
import type { TextName } from "./texts/texts.ts";

/** What a mail says, and whose account it is about. */
export interface Chosen {
  name: TextName;
  userId?: string;
}

/**
 * Decides what a mail says, by who has the address now: whoever asked for it did not know. Undefined: nobody gets one.
 * Throws AppError `unavailable`.
 */
export async function chooseText(
  mail: Mail,
  recipients: Recipients,
  now: number,
): Promise<Chosen | undefined> {
  const { kind, email } = mail;
  switch (kind) {
    case "register": {
      const { owner, isReserved } = await recipients.find(email, now);
      return { name: owner || isReserved ? "registered" : "register" };
    }
    case "email": {
      const { owner, isReserved } = await recipients.find(email, now);
      // Who confirms the address that the account has already is no stranger.
      const isFree = owner ? owner.userId === mail.userId : !isReserved;
      return { name: isFree ? "email" : "emailTaken" };
    }
    case "reset":
    case "login": {
      const { owner } = await recipients.find(email, now);
      return owner?.isOpen ? { name: kind, userId: owner.userId } : undefined;
    }
    case "recovery": {
      const { owner } = await recipients.find(email, now);
      return owner?.isOpen && owner.userId === mail.userId ? { name: kind, userId: owner.userId } : undefined;
    }
    case "notice":
      return mail.notice && { name: mail.notice };
    default:
      return { name: kind };
  }
}
