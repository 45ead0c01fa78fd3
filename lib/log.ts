import { AsyncLocalStorage } from "node:async_hooks";
import { systemTimeMs } from "./clock.ts";

/** Security events, in the words of the OWASP Logging Vocabulary where it has one. */
export type SecurityEvent =
  | "authn_login_success"
  | "authn_login_fail"
  /** Too many attempts in a row: the next one has to wait. */
  | "authn_login_lock"
  | "authn_password_change"
  | "authn_token_invalid"
  /** A spent pair came back: the session was ended. */
  | "authn_token_reuse"
  /** A predecessor came back without a key, inside the window: it may be a lost answer or a thief. */
  | "authn_token_repeat_unproven"
  | "authn_token_revoked"
  | "authz_fail"
  | "excess_rate_limit_exceeded"
  | "input_validation_fail"
  | "malicious_cors"
  | "session_expired"
  | "session_logout"
  | "session_renewed"
  | "user_created"
  | "user_deleted"
  /** Ours, not the caller's: the answer was 500 or 503. */
  | "failure";

/** Why credentials were refused, where the problem code alone does not tell. Nothing of the caller's is in it. */
export type RefusalReason =
  /** Of an access token. */
  | "not a compact JWS"
  | "not canonical base64url"
  | "header is not a JSON object"
  | "unexpected header"
  | "unknown key"
  | "wrong signature"
  | "wrong issuer"
  | "wrong audience"
  | "claims are not an object"
  | "claims of a wrong type"
  /** One is missing, or not what it has to be. */
  | "claim refused"
  | "lives too long"
  | "issued in the future"
  | "expired"
  /** Of a session; gone are those that were ended, and at some time the expired. */
  | "session gone"
  | "session expired"
  | "session at its maximum age"
  | "session ended by the operator"
  | "account gone";

/** What may be said of a request; nothing else gets into its line. E-mail addresses and session ids only as keyed hashes. */
export interface LogFields {
  event?: SecurityEvent;
  userId?: string;
  emailHash?: string;
  sessionHash?: string;
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
  const isWarning = status >= 400 || entry.event === "authn_token_repeat_unproven";
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

/** Writes one failure that belongs to no request as a JSON line: name, message and stack of the error and its causes. */
export function logFailure(what: string, error: unknown): void {
  write({ level: "ERROR", event: "failure", what, errors: describe(error) });
}

/** Past the console, before whose lines Lambda would put a prefix: CloudWatch reads metrics only from pure JSON. */
function write(line: { level: string; [name: string]: unknown }): void {
  const { level, ...fields } = line;
  const time = new Date(systemTimeMs()).toISOString();
  const text = JSON.stringify({ level, time, ...fields });
  process.stdout.write(`${text.replace(moreControls, escapeControl)}\n`);
}

/** What JSON leaves as it is, and a terminal may take for a command or a viewer for the end of a line. */
const moreControls = /[\u007f-\u009f\u2028\u2029]/g;

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Where CloudWatch keeps the metrics. */
export const metricNamespace = "ServerlessAuth";

/** The metrics: each has the dimension `stage`; that of refusals has `code`, too. */
export type MetricName = "Login" | "LoginRefused" | "Throttled" | "Replay" | "Refusal";

/** The metric that counts an event; a refusal is also counted by its code. */
const metricNames: Partial<Record<SecurityEvent, MetricName>> = {
  authn_login_success: "Login",
  authn_login_fail: "LoginRefused",
  authn_login_lock: "Throttled",
  excess_rate_limit_exceeded: "Throttled",
  authn_token_reuse: "Replay",
};

/** Metrics in CloudWatch's embedded metric format: it counts them from the log, and no request is sent for it. */
function createMetrics({ event, code }: LogFields): object {
  const name = event && metricNames[event];
  if (!name && !code) return {};
  const metrics = [
    ...(name ? [{ name, dimensions: ["stage"] }] : []),
    ...(code ? [{ name: "Refusal", dimensions: ["stage", "code"] }] : []),
  ];
  return {
    ...Object.fromEntries(metrics.map(({ name }) => [name, 1])),
    _aws: {
      Timestamp: systemTimeMs(),
      CloudWatchMetrics: metrics.map(({ name, dimensions }) => ({
        Namespace: metricNamespace,
        Dimensions: [dimensions],
        Metrics: [{ Name: name, Unit: "Count" }],
      })),
    },
  };
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
