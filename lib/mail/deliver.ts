import type { MailLimit } from "../attempts/mail-limit.ts";
import type { Clock } from "../clock.ts";
import type { Item } from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import type { MailOutcome } from "../log.ts";
import { type Chosen, chooseText } from "./choose-text.ts";
import { type Codes, nameOf } from "./codes.ts";
import { type CodeKind, codeKinds, type TokenKind, tokenKinds } from "./kinds.ts";
import { type Mail, parseMail } from "./mail.ts";
import { createMessage, type Message } from "./message.ts";
import type { Recipients } from "./recipients.ts";
import { type Send, SendingError } from "./sender.ts";
import type { MailStore } from "./store.ts";

interface DeliverOptions {
  mails: Pick<MailStore, "lease" | "release" | "noteSent" | "noteFailed">;
  mailLimit: MailLimit;
  recipients: Recipients;
  codes: Pick<Codes, "derive" | "deriveToken" | "isOf">;
  send: Send;
  /** Tells what became of a mail. */
  report: (outcome: MailOutcome) => void;
  mailLink: string;
  appName: string;
  clock: Clock;
}

const isCode = (kind: Mail["kind"]): kind is CodeKind => kind in codeKinds;
const isToken = (kind: Mail["kind"]): kind is TokenKind => kind in tokenKinds;

/** Makes what sends the mail that was put into the table. */
export function createDeliver({
  mails,
  mailLimit,
  recipients,
  codes,
  send,
  report,
  clock,
  ...place
}: DeliverOptions) {
  /**
   * Sends a mail, or notes why not. However often it is asked to, one mail is sent – or the same one twice, where it was not
   * noted that it had been. Throws where it has to be asked again: AppError `unavailable`, SendingError.
   */
  return async function deliver(image: Item): Promise<void> {
    const mail = await read(image);
    if (!mail) return;
    if (!codes.isOf(mail)) return end(mail, "failed", "DamagedItem");
    if (mail.validUntil <= clock()) return end(mail, "not sent", "late");
    const chosen = await chooseText(mail, recipients, clock());
    if (!chosen) return end(mail, "not sent", "none");
    const message = await compose(mail, chosen);
    const sendingAt = clock();
    const lease = await mails.lease(mail.id, sendingAt, chosen.userId);
    if (lease === "over") return tell(mail, "done before");
    // To call it done would lose the mail if whoever is at it does not end.
    if (lease === "taken") throw new SendingError("taken", true);
    const messageId = await trySend(mail, message, { sendingAt, isCounted: lease === "counted" });
    if (messageId === undefined) return;
    // It has been sent: where that cannot be noted, nothing is better for sending it once more.
    const noted = mails.noteSent(mail.id, { sentAt: clock(), messageId });
    tell(mail, "sent", await noted.then(() => ({})).catch((error: unknown) => ({ error })));
  };

  /** No record may hold up those behind it: one that cannot be read is noted, and that was it. */
  async function read(image: Item): Promise<Mail | undefined> {
    try {
      return parseMail(image);
    } catch (error) {
      const failure = "DamagedItem";
      const id = String(image.id);
      if (image.id !== undefined) await mails.noteFailed(id, { failedAt: clock(), failure });
      tell({ id, kind: "unknown" }, "failed", { failure, error });
      return undefined;
    }
  }

  /** Gives the id by which SES knows the mail; undefined if it is not sent, and never will be. */
  async function trySend(
    mail: Mail,
    message: Message,
    lease: { sendingAt: number; isCounted: boolean },
  ): Promise<string | undefined> {
    let { isCounted } = lease;
    try {
      // All but notices were counted when they were asked for.
      if (mail.kind === "notice" && !mail.isUnlimited && !isCounted) {
        await mailLimit.count(mail.email, "notice");
        isCounted = true;
      }
      return await send(mail.email, message);
    } catch (error) {
      if (error instanceof AppError && error.code === "too_many_requests") {
        await end(mail, "not sent", "limit");
        return undefined;
      }
      if (!(error instanceof SendingError) || error.isPassing) {
        // Whoever is next need not wait for the lease to run out; if it cannot be given back, they do.
        await mails.release(mail.id, { ...lease, isCounted }).catch(() => undefined);
        throw error;
      }
      await end(mail, "failed", error.failure);
      return undefined;
    }
  }

  async function end(mail: Mail, outcome: "failed" | "not sent", failure: string): Promise<void> {
    await mails.noteFailed(mail.id, { failedAt: clock(), failure });
    tell(mail, outcome, { failure });
  }

  function tell(
    { id, kind }: { id: string; kind: string },
    outcome: MailOutcome["outcome"],
    more: Pick<MailOutcome, "failure" | "error"> = {},
  ): void {
    report({ mailId: nameOf(id), kind, outcome, ...more });
  }

  async function compose(mail: Mail, { name }: Chosen): Promise<Message> {
    const { kind, language, device, ip, createdAt, validUntil, maskedEmail = "" } = mail;
    const facts = {
      ...{ appName: place.appName, host: new URL(place.mailLink).host, device, ip, maskedEmail },
      ...{ at: createdAt, seconds: validUntil - createdAt },
    };
    const linkOf = (fragment: string) => `${place.mailLink}#${fragment}`;
    const content = { name, language, facts };
    if (name === kind && isCode(kind)) {
      const code = await codes.derive({ ...mail, kind });
      return createMessage({ ...content, code, link: linkOf(`kind=${kind}&code=${code}`) });
    }
    if (name === kind && isToken(kind)) {
      const token = await codes.deriveToken({ ...mail, kind });
      return createMessage({ ...content, hasToken: true, link: linkOf(`kind=${kind}&token=${token}`) });
    }
    return createMessage({ ...content, link: linkOf("kind=forgot") });
  }
}
