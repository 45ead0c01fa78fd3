import { AppError } from "../errors.ts";

/** Visible ASCII but `"`, `,` and `\`; a repeated header arrives joined by a comma. */
const visible = /^[!#-+\--[\]-~]{16,128}$/;

/**
 * Reads an Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header); quotes around it are not part of it.
 * Throws AppError `invalid_idempotency_key`.
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = header.trim().replace(/^"(.*)"$/, "$1");
  if (visible.test(key)) return key;
  throw new AppError("invalid_idempotency_key", {
    detail: 'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
  });
}
