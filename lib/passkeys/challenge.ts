import { randomBytes } from "node:crypto";
import type { ClockMs } from "../clock.ts";
import { codeKinds } from "../mail/kinds.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createStamps } from "../tokens/stamps.ts";
import { PasskeyError } from "./passkey-error.ts";

/** What a challenge was made for: a sign-in, or a new passkey of one user, or of whoever registers with this user id. */
export type ChallengePurpose = "get" | `create:${string}` | `register:${string}`;

/** How long a challenge counts: so long may a login page wait for its user. */
export const challengeSeconds = 600;

/** Who registers waits for a mail meanwhile. */
const secondsOf = (purpose: ChallengePurpose): number =>
  purpose.startsWith("register:") ? codeKinds.register : challengeSeconds;

/** Random bytes in each. */
const length = 10;

/** Makes and knows again the challenges of passkey ceremonies; nothing is stored of them. */
export type PasskeyChallenges = ReturnType<typeof createPasskeyChallenges>;

/**
 * Makes challenges that carry their time and a keyed hash (WebAuthn Level 3, 13.4.3). That each is used once is decided
 * where a passkey's use is written.
 */
export function createPasskeyChallenges(keyedHash: KeyedHash, clockMs: ClockMs) {
  const stamps = createStamps(keyedHash, clockMs);
  const label = (purpose: ChallengePurpose) => `passkey challenge:${purpose}`;

  return {
    /** Makes a challenge: 32 bytes, base64url. Throws AppError `unavailable`. */
    create: (purpose: ChallengePurpose): Promise<string> => stamps.make(label(purpose), randomBytes(length)),

    /**
     * When a challenge was made (epoch milliseconds). Throws PasskeyError for one that is not ours, not for this purpose, or
     * too old, and AppError `unavailable`.
     */
    async check(challenge: string, purpose: ChallengePurpose): Promise<number> {
      const rule = { purpose: label(purpose), length, maxAgeSeconds: secondsOf(purpose) };
      const opened = await stamps.open(challenge, rule);
      if (opened.is === "genuine") return opened.madeAt;
      throw new PasskeyError(opened.is === "old" ? "challenge too old" : "wrong challenge");
    },
  };
}
