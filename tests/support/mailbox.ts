import { randomUUID } from "node:crypto";
import { afterAll, beforeEach } from "@jest/globals";
import { startAwsServer } from "./aws-server.ts";
import type { Item } from "./database.ts";
import { keepSecrets } from "./log.ts";
import type { Environment, Sandbox } from "./sandbox.ts";
import type { Service } from "./service.ts";

/** A mail as SES got it. */
export interface SentMail {
  from: string;
  to: string[];
  replyTo: string[] | undefined;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  /** The code as it stands in the mail; empty without one. */
  code: string;
  /** Where the button leads; empty without one. */
  link: string;
}

export type Mailbox = Awaited<ReturnType<typeof startMailbox>>;

/** Starts an SES on loopback for a service; it ends with the test file. It is asked `SendEmail ses`, and breaks on demand. */
export async function startMailbox(service: Service) {
  const ses = await startAwsServer("application/json", (_, text) => {
    const parameters = JSON.parse(text);
    keepMailed(parse(parameters));
    return {
      name: "SendEmail ses",
      parameters,
      deliver: async () => ({ status: 200, body: JSON.stringify({ MessageId: randomUUID() }) }),
    };
  });
  const createSandbox = (settings: Environment = {}) =>
    service.createSandbox({ ...settings, SES_ENDPOINT: ses.endpoint });
  const sandbox = createSandbox();
  beforeEach(() => {
    ses.mend();
    ses.forget();
  });
  afterAll(() => ses.stop());

  const mailbox = {
    ses,
    sandbox,
    createSandbox,

    /** Has the function `mail` work on what was put; answers whether all of it is done. */
    deliver: (as: Sandbox = sandbox): Promise<boolean> => service.feed("mail", as),

    /** The mails that SES took since the test began, the last one last. */
    get sent(): SentMail[] {
      return ses.requests.flatMap(({ parameters, isApplied }) => (isApplied ? [parse(parameters)] : []));
    },

    /** Has what was put sent, and gives the one mail that came of it. */
    async receive(as: Sandbox = sandbox): Promise<SentMail> {
      const { length } = mailbox.sent;
      await mailbox.deliver(as);
      const [mail, ...others] = mailbox.sent.slice(length);
      if (!mail || others.length > 0) throw new Error(`${mailbox.sent.length - length} mails were sent`);
      return mail;
    },

    /** Has what was put sent, and gives the last code that went to an address. Throws if none did. */
    async receiveCode(email: string): Promise<string> {
      await mailbox.deliver();
      const mail = mailbox.sent.findLast(({ to: [address], code }) => address === email && code !== "");
      if (!mail) throw new Error("no code was sent there");
      return mail.code;
    },
  };
  return mailbox;
}

/** What SES answers when it refuses. */
export const refuseMail =
  (status: number, type: string, message = `ada@example.com ${type}`) =>
  async () => ({ status, body: JSON.stringify({ __type: type, message }) });

function parse(parameters: Item): SentMail {
  const { FromEmailAddress: from, Destination, ReplyToAddresses: replyTo, Content } = parameters;
  const { Subject, Body, Headers } = Content.Simple;
  const text: string = Body.Text.Data;
  return {
    ...{ from, to: Destination.ToAddresses, replyTo, subject: Subject.Data, text, html: Body.Html.Data },
    headers: Object.fromEntries(
      Headers.map(({ Name, Value }: { Name: string; Value: string }) => [Name, Value]),
    ),
    code: /^ {4}(\S+)$/m.exec(text)?.[1] ?? "",
    link: /^https?:\S+$/m.exec(text)?.[0] ?? "",
  };
}

/** None of it may be logged, in any form. */
function keepMailed({ code, link }: SentMail): void {
  keepSecrets(code, code.replaceAll("-", ""), link, /token=(\S+)/.exec(link)?.[1]);
}
