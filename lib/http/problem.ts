import { AppError, type Problem, problems } from "../errors.ts";
import { note } from "../log.ts";
import { type ApiResponse, securityHeaders } from "./response.ts";

/** Seconds after which a client may repeat a request that met a 503. */
const retryAfterSeconds = 1;

/** Notes in the log what was refused and why. Whatever is no AppError is `internal_error`. */
export function noteRefusal(error: unknown): AppError {
  const refusal = error instanceof AppError ? error : new AppError("internal_error");
  const { status, event = "input_validation_fail" }: Problem = problems[refusal.code];
  note({ event, code: refusal.code, reason: refusal.reason, ...(status >= 500 && { error }) });
  return refusal;
}

/**
 * Turns whatever was thrown into a problem document (RFC 9457). The only place that does.
 * Anything but an AppError says nothing but the request id; the log tells more under it.
 */
export function toProblem(error: unknown, requestId: string): ApiResponse {
  const refusal = noteRefusal(error);
  const { status, title } = problems[refusal.code];
  return {
    statusCode: status,
    headers: {
      ...securityHeaders,
      "content-type": "application/problem+json; charset=utf-8",
      ...(status === 401 && { "www-authenticate": challenge(refusal) }),
      ...(status === 503 && { "retry-after": String(retryAfterSeconds) }),
      ...refusal.headers,
    },
    body: JSON.stringify({
      type: `urn:problem:${refusal.code}`,
      title,
      status,
      detail: refusal.detail,
      instance: requestId,
      code: refusal.code,
      errors: refusal.errors,
    }),
  };
}

/** RFC 6750, section 3.1: no error code where no credentials came. */
function challenge({ code }: AppError): string {
  return code === "invalid_token" ? 'Bearer error="invalid_token"' : "Bearer";
}
