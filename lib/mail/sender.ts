import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import type { Config } from "../config.ts";
import type { Message } from "./message.ts";

/** Sends one mail; gives the id by which SES knows it. Throws SendingError. */
export type Send = (to: string, message: Message) => Promise<string>;

/** SES did not take a mail. Of its error only the name is kept: the text may hold an address. */
export class SendingError extends Error {
  override readonly name = "SendingError";
  /** The name of what happened: `MessageRejected`. */
  readonly failure: string;
  /** The same mail may be taken later. */
  readonly isPassing: boolean;

  constructor(failure: string, isPassing: boolean) {
    super(failure);
    this.failure = failure;
    this.isPassing = isPassing;
  }
}

/** What SES says of all mails, not of one. */
const passing = [
  "TooManyRequestsException",
  "LimitExceededException",
  "SendingPausedException",
  "ThrottlingException",
  "TimeoutError",
];

const charset = "UTF-8";
const inUtf8 = (Data: string) => ({ Data, Charset: charset });

/** Makes the sender: SES, with a time limit for connecting and one for each response, and 3 attempts. */
export function createSender({
  mailFrom: { name, address },
  mailReplyTo,
  appName,
  sesConfigurationSet,
  sesEndpoint,
}: Config<"mailFrom" | "mailReplyTo" | "sesConfigurationSet" | "sesEndpoint"> & { appName: string }): Send {
  const client = new SESv2Client({
    ...(sesEndpoint !== undefined && { endpoint: sesEndpoint }),
    maxAttempts: 3,
    // See lib/dynamodb.ts: without `throwOnRequestTimeout` the timeout only warns.
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
  });
  const FromEmailAddress = `${encodeWords(name ?? appName)} <${address}>`;

  return async function send(to, { subject, text, html }) {
    const command = new SendEmailCommand({
      FromEmailAddress,
      ...(mailReplyTo !== undefined && { ReplyToAddresses: [mailReplyTo] }),
      Destination: { ToAddresses: [to] },
      ConfigurationSetName: sesConfigurationSet,
      Content: {
        Simple: {
          Subject: inUtf8(subject),
          Body: { Text: inUtf8(text), Html: inUtf8(html) },
          // Nobody's absence is to be told to us (RFC 3834, 5).
          Headers: [{ Name: "Auto-Submitted", Value: "auto-generated" }],
        },
      },
    });
    const { MessageId = "" } = await client.send(command).catch((error: unknown) => {
      throw toSendingError(error);
    });
    return MessageId;
  };
}

/** What of an error of the SDK tells whether it passes. */
interface SdkError {
  name: string;
  /** What the network says: `ECONNREFUSED`. */
  code?: string;
  $metadata?: { httpStatusCode?: number; attempts?: number };
}

function toSendingError(error: unknown): SendingError {
  const { name, code, $metadata: { httpStatusCode: status, attempts = 1 } = {} } = error as SdkError;
  // Without a status SES has not answered: there is no network. Whatever nobody knows, the SDK included, does not pass.
  const isAway = status === undefined ? code !== undefined || attempts > 1 : status >= 500;
  const failure = name === "Error" && code !== undefined ? code : name;
  return new SendingError(failure, isAway || passing.includes(name));
}

/** A name as headers have it: encoded words (RFC 2047), each of at most 75 characters, unless it is plain. */
export function encodeWords(name: string): string {
  if (/^[A-Za-z0-9 ]+$/.test(name)) return name;
  const characters = [...name];
  // Ten characters have at most 40 bytes, which are 56 in base64.
  const words = Array.from({ length: Math.ceil(characters.length / 10) }, (_, index) =>
    characters.slice(index * 10, (index + 1) * 10).join(""),
  );
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`).join(" ");
}
