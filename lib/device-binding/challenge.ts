import type { ClockMs } from "../clock.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createStamps } from "../tokens/stamps.ts";

/** The public key of a browser, P-256: its coordinates x and y, 64 bytes, base64url. */
export type DeviceKey = string;

/** What browsers call the session. One name for all: who logs in once more replaces what the browser had. */
export const sessionIdentifier = "auth";

/** The header that tells a browser what it signs next. */
export const challengeHeader = (challenge: string): Record<string, string> => ({
  "secure-session-challenge": `"${challenge}";id="${sessionIdentifier}"`,
});

const keyLength = 64;
/** How long after a login the browser may bind its key to the session. */
const bindSeconds = 60;
/** A challenge counts for so long after the access token that came with it. */
const graceSeconds = 300;

/** Makes and knows again the challenges of one pair; nothing is stored of them. */
export type DeviceChallenges = ReturnType<typeof createDeviceChallenges>;

/**
 * Makes challenges for browsers (W3C Device Bound Session Credentials): each is bound by a keyed hash to one pair, by its
 * `jti`, and carries the key that is to sign it. So a forged proof is refused without a request to the database.
 */
export function createDeviceChallenges(
  keyedHash: KeyedHash,
  { clockMs, accessTokenTtlSeconds }: { clockMs: ClockMs; accessTokenTtlSeconds: number },
) {
  const stamps = createStamps(keyedHash, clockMs);
  const label = (what: string, jti: string) => `device ${what}:${jti}`;
  const bindPurpose = (jti: string) => label("bind", jti);
  const renewPurpose = (jti: string) => label("renew", jti);
  const empty = Buffer.alloc(0);

  return {
    /** A challenge for a browser that is to make a key. Throws AppError `unavailable`. */
    toBind: (jti: string): Promise<string> => stamps.make(bindPurpose(jti), empty),

    /** A challenge for the browser that has this key. Throws AppError `unavailable`. */
    toRenew: (jti: string, key: DeviceKey): Promise<string> =>
      stamps.make(renewPurpose(jti), Buffer.from(key, "base64url")),

    /** Answers whether a challenge lets a browser bind a key to the session of this pair. Throws AppError `unavailable`. */
    async letsBind(challenge: string, jti: string): Promise<boolean> {
      const rule = { purpose: bindPurpose(jti), length: 0, maxAgeSeconds: bindSeconds };
      return (await stamps.open(challenge, rule)).is === "genuine";
    },

    /** The key that is to sign a challenge of this pair; undefined for one that does not count. Throws AppError `unavailable`. */
    async keyOf(challenge: string, jti: string): Promise<DeviceKey | undefined> {
      const maxAgeSeconds = accessTokenTtlSeconds + graceSeconds;
      const opened = await stamps.open(challenge, {
        purpose: renewPurpose(jti),
        length: keyLength,
        maxAgeSeconds,
      });
      return opened.is === "genuine" ? opened.content.toString("base64url") : undefined;
    },
  };
}
