import { AppError, type Problem, problems } from "../errors.ts";
import { note } from "../log.ts";
import { describeRefusal } from "./refusal.ts";
import type { ApiResponse } from "./response.ts";

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
  return describeRefusal(noteRefusal(error), requestId);
}
