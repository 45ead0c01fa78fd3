import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyedHash } from "../tokens/keyed-hash.ts";

// Nothing that makes a code is stored. What an authenticator app holds, and each recovery code, is a keyed hash of the user and
// of a text that says when it was made: by that time the key is chosen, so that a factor outlives the keys after it.

/** The bytes of what an app holds: 160 bits (RFC 4226, section 4). */
const secretBytes = 20;
/** The bytes of a recovery code: 80 bits, 16 letters. */
const recoveryBytes = 10;
/** How many recovery codes there are. */
export const recoveryCodeCount = 10;
/** For how long an app shows one code (RFC 6238, section 4). */
export const stepSeconds = 30;

const madeText = /^(\d{10})\.[\w-]{21}[AQgw]$/;

/** Names a factor that is made now (epoch seconds): the time, and 16 random bytes. */
export const createFactorName = (now: number): string => `${now}.${randomBytes(16).toString("base64url")}`;

/** When a factor of this name was made, in epoch seconds; undefined if it is no such name. */
export function findMadeAt(name: string): number | undefined {
  const [, seconds] = madeText.exec(name) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/** The secrets of second factors. Every function throws AppError `unavailable` without a factor key. */
export type FactorSecrets = ReturnType<typeof createFactorSecrets>;

/** Makes what derives secrets, under the factor keys. */
export function createFactorSecrets({ hash }: Pick<KeyedHash, "hash">) {
  async function derive(label: string, name: string, bytes: number): Promise<Buffer> {
    return Buffer.from(await hash(label, findMadeAt(name)), "base64url").subarray(0, bytes);
  }

  return {
    /** What the app of a user holds, by the name of its enrolment. */
    deriveTotp: (userId: string, enrolment: string): Promise<Buffer> =>
      derive(`totp:${userId}:${enrolment}`, enrolment, secretBytes),

    /** The recovery codes of a user, by the name of their series: 16 letters and digits each. */
    deriveRecoveryCodes: (userId: string, seriesId: string): Promise<string[]> =>
      Promise.all(
        Array.from({ length: recoveryCodeCount }, async (_, place) => {
          const secret = await derive(`recovery:${userId}:${seriesId}:${place}`, seriesId, recoveryBytes);
          return toBase32(secret).toLowerCase();
        }),
      ),
  };
}

/** A recovery code as people read it: in groups of four. */
export const formatRecoveryCode = (code: string): string => code.replace(/(?<=^(?:.{4})+)(?=.)/g, "-");

/**
 * The steps that a code of an app is right for (RFC 6238, section 5.2): of this time (epoch seconds), the one before and the
 * one after, for clocks differ.
 */
export function listSteps(secret: Buffer, code: string, now: number): number[] {
  const current = Math.floor(now / stepSeconds);
  return [current - 1, current, current + 1].filter((step) => isSameCode(createHotp(secret, step), code));
}

/** The six digits of a counter (RFC 4226, section 5.3). */
function createHotp(secret: Buffer, counter: number): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac("sha1", secret).update(moving).digest();
  const offset = mac.readUInt8(mac.length - 1) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Writes bytes, a multiple of five, in base32 (RFC 4648, section 6). */
export function toBase32(bytes: Buffer): string {
  const digits = BigInt(`0x${bytes.toString("hex")}`).toString(32);
  const letters = [...digits].map((digit) => base32[Number.parseInt(digit, 32)]);
  return letters.join("").padStart((bytes.length * 8) / 5, "A");
}

/** Answers whether two codes are one, in constant time. */
export function isSameCode(genuine: string, presented: string): boolean {
  const [a, b] = [Buffer.from(genuine), Buffer.from(presented)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * What an authenticator app reads as a QR code. Blanks are written `%20`, since apps show a plus as it is; and a colon would
 * part the two names elsewhere.
 */
export function createTotpUri(secret: Buffer, { issuer, email }: { issuer: string; email: string }): string {
  const [app, account] = [issuer.replaceAll(/\s*:\s*/g, " "), email].map(encodeURIComponent);
  return `otpauth://totp/${app}:${account}?secret=${toBase32(secret)}&issuer=${app}`;
}
