import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { afterAll, expect, test } from "@jest/globals";
import { startMailbox } from "../../local/mailbox.ts";
import { sendLocally } from "../support/local-request.ts";
import { createFolder, removeFolder } from "../support/project.ts";

const folder = createFolder();
const lines: string[] = [];
const mailbox = await startMailbox(folder, (line) => lines.push(line));
const client = new SESv2Client({
  endpoint: mailbox.endpoint,
  region: "eu-central-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
afterAll(async () => {
  client.destroy();
  await mailbox.stop();
  removeFolder(folder);
});

const send = (Subject: string, text: string) =>
  client.send(
    new SendEmailCommand({
      FromEmailAddress: "auth@example.com",
      Destination: { ToAddresses: ["ada@example.com"] },
      Content: {
        Simple: {
          Subject: { Data: Subject },
          Body: { Text: { Data: text }, Html: { Data: `<p>${text}</p>` } },
        },
      },
    }),
  );

test("each mail is a line with its link, and a pair of files named by its kind", async () => {
  const link = "http://localhost:3000/#kind=reset&code=K4MXQ2T9W";
  await send("Set a new password", `Open it:\n${link}\n\nOr do not.`);
  await send("Your password was changed", "You know it.");
  while (lines.length < 2) await new Promise(setImmediate);
  const [first, second] = ["1-reset", "2-notice"].map((name) => join(folder, name));
  expect(lines).toEqual([
    `Mail to ada@example.com: Set a new password ${link} (${first}.txt)`,
    `Mail to ada@example.com: Your password was changed (${second}.txt)`,
  ]);
  expect(readdirSync(folder).toSorted()).toEqual([
    "1-reset.html",
    "1-reset.txt",
    "2-notice.html",
    "2-notice.txt",
  ]);
  expect(readFileSync(`${first}.txt`, "utf8")).toContain(link);
  expect(readFileSync(`${second}.html`, "utf8")).toBe("<p>You know it.</p>");
});

test.each([{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { host: "evil.example" }])(
  "it is closed to pages of the web, which would find codes in it: %j",
  async (headers) => {
    const refused = await sendLocally(`${mailbox.endpoint}/store`, headers);
    expect([refused.status, await refused.text()]).toEqual([403, ""]);
  },
);
