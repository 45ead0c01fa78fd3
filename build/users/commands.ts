import { createInvitations } from "../../lib/accounts/invitations.ts";
import { createInvite } from "../../lib/auth/admin/invite.ts";
import { systemClock } from "../../lib/clock.ts";
import { createRecipients } from "../../lib/mail/recipients.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { transact } from "../../lib/transaction.ts";
import type { Options } from "./options.ts";
import type { Stage } from "./stage.ts";

/** What each command does to a stage; it gives what is told of it. */
export const commands = {
  async invite({ dynamodb, tables, findOperator }: Stage, { email, language }: Options) {
    const send = createInvite({
      recipients: createRecipients(dynamodb, tables),
      mails: createMailStore(dynamodb, tables.mailsTable),
      invitations: createInvitations(tables.identitiesTable),
      write: (items, isDone) => transact(dynamodb, items, { isDone }),
      clock: systemClock,
    });
    const { mailId, validUntil } = await send({ email, language, invitedBy: await findOperator() });
    return { invited: email, mailId, validUntil: new Date(validUntil * 1_000).toISOString() };
  },
};
