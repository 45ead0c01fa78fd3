import { AppError } from "../errors.ts";
import { trimBlanks } from "./trim-blanks.ts";

/** The pattern of a key: visible ASCII but `"`, `,` and `\`; a repeated header arrives joined by a comma. */
export const idempotencyKey = "[!#-+\\--[\\]-~]{16,128}";
const whole = new RegExp(`^${idempotencyKey}$`);

/**
 * Reads an Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header); quotes around it are not part of it.
 * Throws AppError `invalid_idempotency_key`.
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = trimBlanks(header).replace(/^"(.*)"$/, "$1");
  if (whole.test(key)) return key;
  throw new AppError("invalid_idempotency_key", {
    detail: 'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
  });
}
