import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import ses from "aws-ses-v2-local";
import { programsOnly } from "./doors.ts";

/** What the mailbox tells of a mail. */
interface Mail {
  destination: { to: string[] };
  subject: string;
  body: { text?: string; html?: string };
}

/**
 * Starts a mailbox on localhost that takes what is sent by SES. It says each mail in one line, and keeps it in the folder as
 * `<n>-<kind>.txt` and `.html`. Its address is for SES_ENDPOINT.
 */
export async function startMailbox(folder: string, say: (line: string) => void) {
  const server = await ses.default({ host: "127.0.0.1", port: 0 });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const listeners = server.listeners("request") as RequestListener[];
  let taken = 0;
  server.removeAllListeners("request").on("request", (request, response) => {
    if (!programsOnly(request, response)) return;
    if (request.method === "POST") response.once("finish", takeMails);
    for (const listener of listeners) listener(request, response);
  });
  return {
    endpoint,
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function takeMails(): Promise<void> {
    const { emails } = (await (await fetch(`${endpoint}/store`)).json()) as { emails: Mail[] };
    for (const mail of emails.slice(taken)) say(keep(folder, mail));
    taken = emails.length;
  }
}

/** Writes a mail into the folder, and returns it as one line. */
function keep(folder: string, { destination, subject, body: { text = "", html = "" } }: Mail): string {
  const [link = ""] = /https?:\/\/\S+/.exec(text) ?? [];
  const [, kind = "notice"] = /[#&]kind=(\w+)/.exec(link) ?? [];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const numbers = readdirSync(folder).map((file) => Number.parseInt(file, 10) || 0);
  const file = join(folder, `${Math.max(0, ...numbers) + 1}-${kind}`);
  writeFileSync(`${file}.txt`, text, { mode: 0o600 });
  writeFileSync(`${file}.html`, html, { mode: 0o600 });
  const words = [`Mail to ${destination.to.join(", ")}: ${subject}`, link, `(${file}.txt)`];
  return words.filter(Boolean).join(" ");
}
