import { AsyncLocalStorage } from "node:async_hooks";
import { systemClockMs } from "./clock.ts";
import type { RefusalReason, SecurityEvent } from "./events.ts";
import type { CodeKind } from "./mail/kinds.ts";
import { createMailMetric, createMetrics } from "./metrics.ts";

/** What may be said of a request; nothing else gets into its line. E-mail addresses and session ids only as keyed hashes. */
export interface LogFields {
  event?: SecurityEvent;
  /** The client's address, on routes that may change something. */
  ip?: string | undefined;
  userId?: string;
  /** The user whom somebody else manages. */
  targetId?: string;
  emailHash?: string;
  sessionHash?: string;
  /** What a code is asked for, or presented. */
  kind?: CodeKind;
  /** What opened or changed an account, where it was no password and no session; `recovery`: a recovery code was the second factor. */
  by?: "reset" | "undo" | "code" | "invitation" | "recovery" | "provider";
  /** The id of the provider that somebody signs in with. */
  provider?: string;
  /** The problem code of a refusal. */
  code?: string;
  reason?: RefusalReason | undefined;
  /** What went wrong, for a failure of ours. */
  error?: unknown;
}

/** What is known of a request when it comes in. */
export interface LoggedRequest {
  requestId: string;
  /** As the gateway names it: `POST /auth/login`. */
  route: string;
  stage: string;
}

const current = new AsyncLocalStorage<LogFields>();

/** Adds to the line of the request that is being answered. The first event stays, unless the request fails after it. */
export function note({ event, ...fields }: LogFields): void {
  const entry = current.getStore();
  if (entry) Object.assign(entry, fields, { event: event === "failure" ? event : (entry.event ?? event) });
}

/** Answers one request and writes its one JSON line: what was asked, what came of it, and how long it took. */
export async function logRequest<Response extends { statusCode: number }>(
  request: LoggedRequest,
  respond: () => Promise<Response>,
): Promise<Response> {
  const entry: LogFields = {};
  const start = process.hrtime();
  const response = await current.run(entry, respond);
  const [seconds, nanoseconds] = process.hrtime(start);
  const durationMs = seconds * 1_000 + Math.round(nanoseconds / 1_000) / 1_000;
  const { error, ...fields } = entry;
  const status = response.statusCode;
  const isWarning = status >= 400 || error !== undefined || entry.event === "authn_token_repeat_unproven";
  write({
    level: status >= 500 ? "ERROR" : isWarning ? "WARN" : "INFO",
    ...request,
    status,
    durationMs,
    ...fields,
    ...(error !== undefined && { errors: describe(error) }),
    ...createMetrics(entry),
  });
  return response;
}

/** What became of a mail that was put into the table. */
export interface MailOutcome {
  mailId: string;
  kind: string;
  /** `not sent`: nobody was to get it, or it came too late. `failed`: it was to be sent, and never will be. */
  outcome: "sent" | "not sent" | "failed" | "done before";
  /** The name of an error, or why it was not sent. */
  failure?: string | undefined;
  /** What went wrong beside it. */
  error?: unknown;
}

/** Writes the line of a mail, with its metric. */
export function logMail(stage: string, { error, ...line }: MailOutcome): void {
  const isFailed = line.outcome === "failed";
  write({
    level: isFailed ? "ERROR" : error === undefined ? "INFO" : "WARN",
    ...{ what: "mail", stage, ...line },
    ...(error !== undefined && { errors: describe(error) }),
    ...createMailMetric(line.outcome),
  });
}

/** Writes one failure that belongs to no request as a JSON line: name, message and stack of the error and its causes. */
export function logFailure(what: string, error: unknown): void {
  write({ level: "ERROR", event: "failure", what, errors: describe(error) });
}

/** Past the console, before whose lines Lambda would put a prefix: CloudWatch reads metrics only from pure JSON. */
function write(line: { level: string; [name: string]: unknown }): void {
  const { level, ...fields } = line;
  const time = new Date(systemClockMs()).toISOString();
  const text = JSON.stringify({ level, time, ...fields });
  process.stdout.write(`${text.replace(moreControls, escapeControl)}\n`);
}

/** What JSON leaves as it is, and a terminal may take for a command or a viewer for the end of a line. */
const moreControls = /[\u007f-\u009f\u2028\u2029]/g;

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A chain of causes is cut here; it could lead back to itself. */
const maxErrors = 5;

function describe(
  error: unknown,
  room = maxErrors,
): { name: string; message: string | undefined; stack: string[] }[] {
  if (!(error instanceof Error) || room === 0) return [];
  // A SyntaxError of JSON.parse quotes the text it was given.
  const message = error instanceof SyntaxError ? undefined : error.message;
  return [{ name: error.name, message, stack: framesOf(error) }, ...describe(error.cause, room - 1)];
}

/** The first frames of a stack, without the message before them, whose lines may look like frames. */
function framesOf({ message, stack = "" }: Error): string[] {
  const start = stack.indexOf(message);
  const frames = start < 0 ? stack : stack.slice(start + message.length);
  return frames
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
}
