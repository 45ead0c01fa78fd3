import { randomUUID } from "node:crypto";
import { AppError } from "../lib/errors.ts";
import { describeRefusal } from "../lib/http/refusal.ts";

/** A refusal as a response. */
export interface RefusalAnswer {
  status: number;
  headers: Record<string, string>;
  /** A problem document (RFC 9457). */
  body: string;
}

/** The response to a refusal, as the service itself would give it. Rethrows every other error. */
export function answerRefusal(error: unknown): RefusalAnswer {
  if (!(error instanceof AppError)) throw error;
  const { statusCode, headers, body } = describeRefusal(error, randomUUID());
  // Whether this host speaks TLS only is not ours to say.
  const { "strict-transport-security": _, ...others } = headers;
  return { status: statusCode, headers: others, body };
}

/** The same as a `Response` of the Fetch standard. */
export function respondToRefusal(error: unknown): Response {
  const { status, headers, body } = answerRefusal(error);
  return new Response(body, { status, headers });
}
