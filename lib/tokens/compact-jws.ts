import { parseBase64url } from "../base64url.ts";
import type { RefusalReason } from "../events.ts";
import type { VerificationKey } from "./keys.ts";

/** A token that is not to be trusted; the reason is for the log, not for the client. */
export class AccessTokenError extends Error {
  override readonly name = "AccessTokenError";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/** What the verification of a signature needs of a JWS, and what is to be checked beside it. Nothing of it is trusted. */
export interface UnverifiedJws extends VerificationKey {
  typ: unknown;
  payload: Buffer;
}

const maxTokenLength = 4096;
const segments = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Throws AccessTokenError for what is no text, or longer than any token of ours: before it is even hashed. */
export function assertLength(token: string): void {
  if (typeof token !== "string" || token.length > maxTokenLength) {
    throw new AccessTokenError("not a compact JWS");
  }
}

/**
 * Checks size and form of a JWS (RFC 7515, compact) before any cryptography and finds the key that `kid` names.
 * jose alone accepts padding, blanks, non-canonical last characters, unknown header members and 1 MB tokens.
 * Throws AccessTokenError.
 */
export function selectKey(token: string, keys: ReadonlyMap<string, VerificationKey>): UnverifiedJws {
  assertLength(token);
  if (!segments.test(token)) throw new AccessTokenError("not a compact JWS");
  const [header, payload] = token.split(".").map(decodeCanonical) as [Buffer, Buffer, Buffer];
  const { kid, alg, typ, ...others } = parseHeader(header);
  const found = typeof kid === "string" ? keys.get(kid) : undefined;
  if (!found || alg !== found.alg) throw new AccessTokenError("unknown key");
  if (Object.keys(others).length > 0) throw new AccessTokenError("unexpected header");
  return { alg: found.alg, key: found.key, typ, payload };
}

function decodeCanonical(segment: string): Buffer {
  const bytes = parseBase64url(segment);
  if (!bytes) throw new AccessTokenError("not canonical base64url");
  return bytes;
}

function parseHeader(bytes: Buffer): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof header === "object" && header !== null) return header as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw new AccessTokenError("header is not a JSON object");
}
