import { randomBytes, timingSafeEqual } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import type { ClockMs } from "../clock.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { PasskeyError } from "./passkey-error.ts";

/** What a challenge was made for: a sign-in, or a new passkey of one user. */
export type ChallengePurpose = "get" | `create:${string}`;

/** How long a challenge counts: so long may a login page wait for its user. */
export const challengeSeconds = 600;

/** 6 bytes of milliseconds, 10 random ones, and a MAC of 16. */
const [timeLength, nameLength, length] = [6, 16, 32];
/** The clock of another machine may be so far ahead. */
const skewMs = 5_000;

/** Makes and knows again the challenges of passkey ceremonies; nothing is stored of them. */
export type PasskeyChallenges = ReturnType<typeof createPasskeyChallenges>;

/**
 * Makes challenges that carry their time and a keyed hash (WebAuthn Level 3, 13.4.3). That each is used once is decided
 * where a passkey's use is written.
 */
export function createPasskeyChallenges({ hash, hashes }: KeyedHash, clockMs: ClockMs) {
  const label = (purpose: ChallengePurpose, name: Buffer) =>
    `passkey challenge:${purpose}:${name.toString("base64url")}`;
  const toMac = (hashed: string) => Buffer.from(hashed, "base64url").subarray(0, length - nameLength);

  return {
    /** Makes a challenge: 32 bytes, base64url. Throws AppError `unavailable`. */
    async create(purpose: ChallengePurpose): Promise<string> {
      const name = Buffer.concat([Buffer.alloc(timeLength), randomBytes(nameLength - timeLength)]);
      name.writeUIntBE(clockMs(), 0, timeLength);
      return Buffer.concat([name, toMac(await hash(label(purpose, name)))]).toString("base64url");
    },

    /**
     * When a challenge was made (epoch milliseconds). Throws PasskeyError for one that is not ours, not for this purpose, or
     * too old, and AppError `unavailable`.
     */
    async check(challenge: string, purpose: ChallengePurpose): Promise<number> {
      const bytes = parseBase64url(challenge);
      if (bytes?.length !== length) throw new PasskeyError("wrong challenge");
      const [name, mac] = [bytes.subarray(0, nameLength), bytes.subarray(nameLength)];
      const genuine = (await hashes(label(purpose, name))).map(toMac);
      if (!genuine.some((other) => timingSafeEqual(other, mac))) throw new PasskeyError("wrong challenge");
      const madeAt = name.readUIntBE(0, timeLength);
      const age = clockMs() - madeAt;
      if (age > challengeSeconds * 1000 || age < -skewMs) throw new PasskeyError("challenge too old");
      return madeAt;
    },
  };
}
