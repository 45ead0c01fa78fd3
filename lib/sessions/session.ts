import * as v from "valibot";
import { customClaims } from "../accounts/claims.ts";
import type { ItemType } from "../parse-item.ts";
import { type Authenticated, authTimeOf } from "./auth-time.ts";

/** A session as the table holds it. Times are epoch seconds; hashes and the salt are base64url. */
export const sessionType = {
  name: "session",
  keyNames: ["userId", "sessionId"],
  schema: v.object({
    userId: v.string(),
    sessionId: v.string(),
    email: v.string(),
    /** SHA-256 of the refresh token that is current. */
    tokenHash: v.string(),
    /** SHA-256 of the refresh token before it; absent until the first rotation, like the next two. */
    previousTokenHash: v.exactOptional(v.string()),
    rotationSalt: v.exactOptional(v.string()),
    /** When the pair was issued; a late proven repeat moves it. Epoch milliseconds stand beside it: 10 s are 10 s. */
    rotatedAt: v.exactOptional(v.number()),
    rotatedAtMs: v.exactOptional(v.number()),
    /** When the current token replaced the one before it: no repeat moves it. */
    renewedAtMs: v.exactOptional(v.number()),
    /** How often repeats have re-armed since the last rotation; absent: never. */
    rearms: v.exactOptional(v.number()),
    /** SHA-256 of the Idempotency-Key of the last rotation, or of the login; absent when it came without one. */
    rotationKeyHash: v.exactOptional(v.string()),
    /** What `rotationKeyHash` was before the last rotation. */
    previousKeyHash: v.exactOptional(v.string()),
    /** SHA-256 of the Session-Key: only requests that carry it renew the session. */
    sessionKeyHash: v.exactOptional(v.string()),
    /** The public key of the browser that the session is bound to (lib/device-binding): only its proofs renew it. */
    deviceKey: v.exactOptional(v.string()),
    /** The login carried an Idempotency-Key: a predecessor is accepted with its key only. */
    keyed: v.exactOptional(v.boolean(), false),
    /**
     * The user's `sessionEpoch` at login: when that is raised, the sessions of older epochs are ended. One that cannot
     * be read is the oldest.
     */
    sessionEpoch: v.exactOptional(v.fallback(v.number(), 0), 0),
    /** What the team adds to the access token; fixed at login. */
    claims: v.exactOptional(
      v.pipe(
        v.custom<object>((value) => !Array.isArray(value)),
        v.object(customClaims),
      ),
    ),
    createdAt: v.number(),
    /** When its user was proven, where that was at the login of a session in whose place this one came. */
    authenticatedAt: v.exactOptional(v.number()),
    /** How its user was proven, where it was with two factors (RFC 8176). */
    amr: v.exactOptional(v.array(v.string())),
    expiresAt: v.number(),
    userAgent: v.exactOptional(v.string()),
    ip: v.exactOptional(v.string()),
  }),
} satisfies ItemType<v.GenericSchema>;

/** Answers whether SESSIONS_NOT_BEFORE (epoch seconds) has ended a session. */
export const isEndedByOperator = (session: Authenticated, notBefore: number): boolean =>
  authTimeOf(session) < notBefore;

/** What a session notes of the request that opened or renewed it last. */
export interface Client {
  userAgent?: string | undefined;
  ip?: string | undefined;
}

/** Cuts what is noted to 256 characters: a session stays under 1 KB, which is one write unit. */
export function toNoted({ userAgent, ip }: Client): Pick<Session, "userAgent" | "ip"> {
  return {
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, 256).toWellFormed() }),
    ...(ip !== undefined && { ip }),
  };
}

/** A session as the table holds it. */
export type Session = v.InferOutput<typeof sessionType.schema>;
