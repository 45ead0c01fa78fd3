import { randomUUID } from "node:crypto";
import { emailTaken } from "../../accounts/email-taken.ts";
import type { Invitations } from "../../accounts/invitations.ts";
import type { Clock } from "../../clock.ts";
import { createMailId } from "../../mail/codes.ts";
import { kinds } from "../../mail/kinds.ts";
import type { Language } from "../../mail/language.ts";
import type { NewMail } from "../../mail/mail.ts";
import type { Recipients } from "../../mail/recipients.ts";
import type { MailStore } from "../../mail/store.ts";
import type { TransactItem } from "../../transaction.ts";
import type { Operator } from "./operator.ts";
import { assertRolesFit } from "./roles.ts";

interface InviteOptions {
  recipients: Recipients;
  mails: Pick<MailStore, "toPut" | "find">;
  invitations: Pick<Invitations, "toOpen">;
  /** Writes all or nothing; `isDone` answers whether what is stored is what it writes. */
  write: (items: TransactItem[], isDone: () => Promise<boolean>) => Promise<unknown>;
  clock: Clock;
}

/** Whom an operator invites, and in which language. */
export interface Invitation {
  /** Normalised. */
  email: string;
  language: Language;
  /** Those that the account will have. */
  roles?: string[] | undefined;
  /** The operator. */
  invitedBy: Operator["by"];
}

/** An invitation that is on its way. Times are epoch seconds. */
export interface SentInvitation {
  email: string;
  mailId: string;
  validUntil: number;
}

/** Makes the use case that invites somebody to open an account. */
export function createInvite({ recipients, mails, invitations, write, clock }: InviteOptions) {
  /**
   * Mails a link that opens an account with a password of its reader's choice. Earlier invitations stay good; one of them opens
   * the account. Throws AppError `email_taken`, `invalid_body` for roles that no cookie has room for, `unavailable`.
   */
  return async function invite({ email, language, roles, invitedBy }: Invitation): Promise<SentInvitation> {
    const createdAt = clock();
    const { owner, isReserved } = await recipients.find(email, createdAt);
    if (owner || isReserved) throw emailTaken();
    const id = createMailId({ kind: "invitation", email });
    const newUserId = randomUUID();
    assertRolesFit({ userId: newUserId, email, roles });
    const mail: NewMail = {
      ...{ id, email, language, createdAt, invitedBy, newUserId },
      kind: "invitation",
      ...(roles && { roles }),
    };
    const isDone = async () => (await mails.find(id)) !== undefined;
    await write([mails.toPut(mail), invitations.toOpen(email, createdAt)], isDone);
    return { email, mailId: id, validUntil: createdAt + kinds.invitation };
  };
}
