import { AppError } from "../errors.ts";
import type { ClientKeys } from "../sessions/presented-keys.ts";
import { isRefreshToken } from "../tokens/refresh-token.ts";
import { trimBlanks } from "./trim-blanks.ts";

/** The pattern of an Idempotency-Key: visible ASCII but `"`, `,` and `\`; a repeated header arrives joined by a comma. */
export const idempotencyKey = "[!#-+\\--[\\]-~]{16,128}";
const whole = new RegExp(`^${idempotencyKey}$`);

type Headers = Readonly<Record<string, string>>;

/** Reads the headers Idempotency-Key, Idempotency-Key-Previous and Session-Key. Throws AppError `invalid_idempotency_key`, `invalid_session_key`. */
export function parseClientKeys(headers: Headers): ClientKeys {
  return {
    idempotencyKey: parseIdempotencyKey(headers, "Idempotency-Key"),
    previousIdempotencyKey: parseIdempotencyKey(headers, "Idempotency-Key-Previous"),
    sessionKey: parseSessionKey(headers),
  };
}

/** draft-ietf-httpapi-idempotency-key-header; the quotes of a structured field are not part of the key. */
function parseIdempotencyKey(headers: Headers, name: string): string | undefined {
  const key = findHeader(headers, name)?.replace(/^"(.*)"$/, "$1");
  if (key === undefined || whole.test(key)) return key;
  const detail = `${name} must be 16 to 128 visible ASCII characters without ", comma and backslash.`;
  throw new AppError("invalid_idempotency_key", { detail });
}

function parseSessionKey(headers: Headers): string | undefined {
  const key = findHeader(headers, "Session-Key");
  // It has the form of a refresh token: 32 bytes.
  if (key === undefined || isRefreshToken(key)) return key;
  const detail = "Session-Key must be 32 random bytes in base64url, 43 characters.";
  throw new AppError("invalid_session_key", { detail });
}

function findHeader(headers: Headers, name: string): string | undefined {
  const header = headers[name.toLowerCase()];
  return header === undefined ? undefined : trimBlanks(header);
}
