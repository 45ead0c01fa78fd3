import { AppError } from "../errors.ts";
import { hashToken, isSameHash } from "../tokens/refresh-token.ts";
import type { Session } from "./session.ts";

/** The secrets that a client keeps beside its pair, never in a cookie (docs/rotation.md). */
export interface ClientKeys {
  /** Proves that a repeat of this request is one. */
  idempotencyKey: string | undefined;
  /** The client's Idempotency-Key before this one: a browser that was killed may have lost the response to it. */
  previousIdempotencyKey: string | undefined;
  /** Without it nobody renews a session that was opened with one. */
  sessionKey: string | undefined;
}

/** What a request proves beside its pair: hashes of the client's keys. */
export interface PresentedKeys {
  keyHash: string | undefined;
  /** Of the client's Idempotency-Key before this one. */
  previousKeyHash: string | undefined;
  sessionKeyHash: string | undefined;
}

/** What is compared and stored of the keys of a client. */
export function hashClientKeys({
  idempotencyKey,
  previousIdempotencyKey,
  sessionKey,
}: Partial<ClientKeys>): PresentedKeys {
  return {
    keyHash: hashKey(idempotencyKey),
    previousKeyHash: hashKey(previousIdempotencyKey),
    sessionKeyHash: hashKey(sessionKey),
  };
}

/** Answers whether the request carries the Session-Key of the session, if that has one; a key for one without is ignored. */
export function isKeyPresented(
  session: Session,
  { sessionKeyHash }: Pick<PresentedKeys, "sessionKeyHash">,
): boolean {
  return session.sessionKeyHash === undefined || isSameKey(session.sessionKeyHash, sessionKeyHash);
}

/** Throws AppError `session_key_required` if the session has a Session-Key and this is not it. */
export function assertSessionKey(session: Session, sessionKey: string | undefined): void {
  if (!isKeyPresented(session, { sessionKeyHash: hashKey(sessionKey) })) throw sessionKeyRequired();
}

/** The refusal of a request without the Session-Key of its session. */
export const sessionKeyRequired = (): AppError =>
  new AppError("session_key_required", {
    detail:
      "This session is bound to the Session-Key of its login, and the request does not carry it. Log in again.",
  });

/** Compares two hashes of keys, in constant time; one that is absent is like none. */
export function isSameKey(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && isSameHash(a, b);
}

function hashKey(key: string | undefined): string | undefined {
  return key === undefined ? undefined : hashToken(key);
}
