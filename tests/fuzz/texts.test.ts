import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isEmail, normalizeEmail } from "../../lib/accounts/email.ts";
import { paginate } from "../../lib/auth/session/paginate.ts";
import { AppError } from "../../lib/errors.ts";
import { findPasswordFault, passwordLength } from "../../lib/factors/password-policy.ts";
import { parseBearer } from "../../lib/http/bearer.ts";
import { findCookie, parseAuthCookie } from "../../lib/http/cookies.ts";
import { parseIdempotencyKey } from "../../lib/http/idempotency-key.ts";
import { classify } from "../../lib/sessions/rotation.ts";
import { parseSession } from "../../lib/sessions/session.ts";
import { AccessTokenError, selectKey } from "../../lib/tokens/compact-jws.ts";
import { createTokenId, deriveSuccessor, hashToken, isRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { createTestIssuer } from "../support/issuer.ts";
import { times } from "../support/randomness.ts";
import { encode } from "../support/token.ts";
import { anyText, anything, mutated } from "./hostile.ts";
import { watch, watchAsync } from "./oracle.ts";

// Whatever text reaches a reader of ours, it answers or refuses; it never breaks, stalls or believes.
const now = 1_800_000_000;
const { issuePair, verifyExpiredToken, keys, sign, header } = await createTestIssuer(now);
const [refreshToken, another] = ["A".repeat(43), `${"b".repeat(42)}A`] as [string, string];
const session = {
  ...{ userId: "user", sessionId: "session", email: "ada@example.com", tokenHash: hashToken(refreshToken) },
  ...{ previousTokenHash: hashToken(another), rotationSalt: another, rotatedAt: now - 5, keyed: false },
  ...{ createdAt: now - 100, expiresAt: now + 900 },
};
const pairs = [
  await issuePair(session, refreshToken),
  await issuePair({ ...session, email: "é@example.com" }, another),
];
const issued = pairs.map(({ token }) => token);
const text = (...sound: string[]) => fc.oneof(anyText, mutated(fc.constantFrom(...sound)));

test("token: what is checked before any cryptography", () => {
  const segments = fc.array(fc.oneof(anyText, fc.constantFrom(encode(header), "AA", "e30")), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        text(...issued),
        segments.map((parts) => parts.join(".")),
      ),
      (token) => {
        watch(() => refusedBy(AccessTokenError, () => selectKey(token, keys)));
      },
    ),
    times(100_000),
  );
});

test("token: the verifier takes an issued one, byte by byte, or none", async () => {
  // Signed by us: claims that somebody with our key could make, in every broken form.
  const [head = "", body = ""] = (issued[0] as string).split(".");
  const claims = Buffer.from(body, "base64url").toString();
  const signed = fc
    .oneof(
      mutated(fc.constant(claims)),
      anyText,
      anything.map((value) => String(toJson(value))),
    )
    .map((claims) => `${head}.${encode(claims)}`)
    .map((input) => `${input}.${sign(Buffer.from(input)).toString("base64url")}`);
  const unsigned = fc
    .tuple(mutated(fc.constant(claims)), fc.constantFrom(...issued))
    .map(([claims, token]) => {
      return `${head}.${encode(claims)}.${token.split(".")[2]}`;
    });
  const swapped = fc.shuffledSubarray(
    issued.flatMap((token) => token.split(".")),
    { minLength: 3, maxLength: 3 },
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        text(...issued),
        unsigned,
        swapped.map((parts) => parts.join(".")),
        fc.constantFrom(...issued),
      ),
      async (token) => {
        const verified = await watchAsync(() => verifyExpiredToken(token).catch(refusal(AccessTokenError)));
        expect([token, verified !== undefined]).toEqual([token, issued.includes(token)]);
        if (verified) accepted++;
      },
    ),
    times(7_000),
  );
  expect(accepted).toBeGreaterThan(100);
  await fc.assert(
    fc.asyncProperty(signed, async (token) => {
      const verified = await watchAsync(() => verifyExpiredToken(token).catch(refusal(AccessTokenError)));
      if (!verified) return;
      const { iss, aud, sub, sid, jti, exp, iat } = verified.claims;
      expect([iss, aud]).toEqual(["https://api.example.com", "api"]);
      for (const id of [sub, sid, jti]) expect(id).toEqual(expect.stringMatching(/^.{1,256}$/su));
      expect(exp - iat).toBeLessThanOrEqual(86_400);
    }),
    times(3_000),
  );
});

test("cookies: none, malformed, or two strings", () => {
  const value = encodeURIComponent(JSON.stringify({ token: issued[0], refreshToken }));
  const cookie = fc.oneof(
    text(`auth-cookie=${value}`),
    anyText.map((text) => `auth-cookie=${text}`),
  );
  fc.assert(
    fc.property(fc.array(cookie, { maxLength: 4 }), (cookies) => {
      const presented = watch(() => parseAuthCookie(cookies, "auth-cookie"));
      if (presented.is !== "pair") return expect(["none", "malformed"]).toContain(presented.is);
      expect([typeof presented.token, typeof presented.refreshToken]).toEqual(["string", "string"]);
      watch(() => findCookie(cookies, "auth-cookie-device"));
    }),
    times(100_000),
  );
});

test("single headers and query parameters", () => {
  fc.assert(
    fc.property(
      fc.oneof(text(`Bearer ${issued[0]}`, `"${refreshToken}"`, `${now}.${session.sessionId}`)),
      (text) => {
        watch(() => parseBearer(text));
        const key = watch(() => refusedBy(AppError, () => parseIdempotencyKey(text)));
        if (key !== undefined) expect(key).toMatch(/^[\x21-\x7e]{16,128}$/);
        watch(() => refusedBy(AppError, () => paginate([session], text)));
      },
    ),
    times(50_000),
  );
});

test("refresh token, and what the table may say about it", () => {
  const item = fc.record(
    Object.fromEntries(
      Object.entries(session).map(([name, sound]) => [
        name,
        fc.oneof({ weight: 9, arbitrary: fc.constant(sound as unknown) }, { weight: 1, arbitrary: anything }),
      ]),
    ),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      text(refreshToken, another),
      fc.oneof(anyText, fc.constant(undefined)),
      item,
      (token, key, item) => {
        const isOurs = watch(() => isRefreshToken(token));
        if (isOurs) expect(Buffer.from(token, "base64url").toString("base64url")).toBe(token);
        watch(() => [createTokenId(token), deriveSuccessor(token, another)]);
        const found = watch(() => refusedBy(AppError, () => parseSession(item)));
        if (!found) return;
        const keyHash = key === undefined ? undefined : hashToken(key);
        const attempt = { presentedHash: hashToken(token), rotationSalt: refreshToken, keyHash, now };
        const { is } = watch(() =>
          classify(found, attempt, { refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30 }),
        );
        // A token that was never ours is no pair of any session. (Hashing takes the low byte of what is not ASCII.)
        const isKnown = [refreshToken, another].map(hashToken).includes(attempt.presentedHash);
        if (!isKnown) expect(["over", "replay", "own-write"]).toContain(is);
      },
    ),
    times(100_000),
  );
});

test("e-mail address and password", () => {
  const commonPasswords = new Set(["password1234567"]);
  fc.assert(
    fc.property(text("ada@example.com", "Ada.Lovelace@Sub.Example.com"), anyText, (text, password) => {
      const email = watch(() => normalizeEmail(text));
      const isAddress = watch(() => isEmail(email));
      if (isAddress) expect(email).toMatch(/^[^\s@]+@[^\s@]+$/u);
      const length = watch(() => passwordLength(password));
      if (length !== undefined) watch(() => findPasswordFault(password, { email, commonPasswords }));
    }),
    times(50_000),
  );
});

/** Gives undefined for the error that a reader refuses with. */
function refusal(kind: typeof AppError | typeof AccessTokenError) {
  return (error: unknown): undefined => {
    if (!(error instanceof kind)) throw error;
  };
}

function refusedBy<T>(kind: typeof AppError | typeof AccessTokenError, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    return refusal(kind)(error);
  }
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
