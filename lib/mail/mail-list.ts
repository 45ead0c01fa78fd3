import { paginateScan } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, unavailable } from "../dynamodb.ts";
import { nameOf } from "./codes.ts";
import { type Mail, parseMail } from "./mail.ts";

/** A mail as an operator may see it. Times are epoch seconds. */
export interface ListedMail
  extends Pick<Mail, "kind" | "email" | "language" | "createdAt" | "validUntil">,
    Partial<
      Pick<
        Mail,
        "notice" | "userId" | "invitedBy" | "usedAt" | "sentAt" | "messageId" | "failedAt" | "failure"
      >
    > {
  /** As the log names it. */
  mailId: string;
  is: "waiting" | "sent" | "failed";
}

/**
 * Reads all mails that are still kept – about seven days –, in no order. The whole id of a mail is in none: with the code keys
 * it would be the mail. Throws AppError `unavailable`.
 */
export async function* listMails(client: DynamoDB, mailsTable: string): AsyncGenerator<ListedMail> {
  try {
    for await (const { Items = [] } of paginateScan({ client }, { TableName: mailsTable }))
      for (const item of Items) yield toListed(parseMail(item));
  } catch (error) {
    unavailable(error);
  }
}

function toListed(mail: Mail): ListedMail {
  const { id, kind, email, language, createdAt, validUntil } = mail;
  const { notice, userId, invitedBy, usedAt, sentAt, messageId, failedAt, failure } = mail;
  const ends = sentAt === undefined ? "waiting" : "sent";
  const known = { notice, userId, invitedBy, usedAt, sentAt, messageId, failedAt, failure };
  return {
    ...{
      mailId: nameOf(id),
      kind,
      email,
      is: failedAt === undefined ? ends : "failed",
      language,
      createdAt,
      validUntil,
    },
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}
