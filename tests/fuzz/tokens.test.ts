import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { hashPassword, isSamePassword, verifyPassword } from "../../lib/factors/password-hash.ts";
import { passwordLength } from "../../lib/factors/password-policy.ts";
import { createChallenges, createCodes, createMailId } from "../../lib/mail/codes.ts";
import type { Session } from "../../lib/sessions/session.ts";
import { AccessTokenError } from "../../lib/tokens/compact-jws.ts";
import { importHashKeys } from "../../lib/tokens/hash-keys.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { createTestIssuer } from "../support/issuer.ts";
import { createHashKey } from "../support/keys.ts";
import { times } from "../support/randomness.ts";
import { buildToken, encode } from "../support/token.ts";
import { anyText, mutated } from "./hostile.ts";
import { watchAsync } from "./oracle.ts";

const ada = { kind: "reset", email: "ada@example.com" } as const;

const now = 1_800_000_000;
const { issuePair, verifyExpiredToken, sign, header } = await createTestIssuer(now);
const refreshToken = "A".repeat(43);
const session: Session = {
  ...{ userId: "user", sessionId: "session", email: "ada@example.com", tokenHash: "", keyed: false },
  ...{ sessionEpoch: 0, createdAt: now - 100, rotatedAt: now - 5, expiresAt: now + 900 },
};
const issue = async (email: string) => (await issuePair({ ...session, email }, refreshToken)).token;
const issued = [await issue("ada@example.com"), await issue("é@x.y")];
const [genuine = ""] = issued;
const { claims } = await verifyExpiredToken(genuine);

const hashKeys = importHashKeys([createHashKey({ activeFrom: now - 9 })]);
const keyedHash = createKeyedHash({
  hashKeys: { ready: async () => {}, get: async () => hashKeys },
  clock: () => now,
});
const [challenges, codes] = [createChallenges(keyedHash), createCodes(keyedHash)];

const verify = (token: string) =>
  watchAsync(() =>
    verifyExpiredToken(token).catch((error: unknown) => {
      if (!(error instanceof AccessTokenError)) throw error;
      return undefined;
    }),
  );

test("the verifier takes an issued token, bit by bit, or none", async () => {
  const [head = "", body = "", signature] = genuine.split(".");
  const flipped = fc.tuple(fc.nat(genuine.length - 1), fc.nat(7)).map(([at, bit]) => {
    const letter = String.fromCharCode(genuine.charCodeAt(at) ^ (1 << bit));
    return genuine.slice(0, at) + letter + genuine.slice(at + 1);
  });
  const otherClaims = mutated(fc.constant(Buffer.from(body, "base64url").toString()));
  const unsigned = otherClaims.map((claims) => `${head}.${encode(claims)}.${signature}`);
  const parts = issued.flatMap((token) => token.split("."));
  const swapped = fc.shuffledSubarray(parts, { minLength: 3, maxLength: 3 }).map((parts) => parts.join("."));
  const damaged = fc.oneof(anyText, mutated(fc.constantFrom(...issued)), flipped, unsigned, swapped);
  const any = fc.oneof({ weight: 9, arbitrary: damaged }, fc.constantFrom(...issued));
  const property = fc.asyncProperty(any, async (token) => {
    expect([token, (await verify(token)) !== undefined]).toEqual([token, issued.includes(token)]);
  });
  await fc.assert(property, times(8_000));
});

test("no claim that the issuer does not make is accepted, whoever has signed it", async () => {
  const none = fc.constant(undefined);
  const noText = fc.oneof(
    fc.constantFrom<unknown>("", 1, true, null, {}),
    ...[fc.array(fc.string({ minLength: 1 })), fc.string({ minLength: 257, maxLength: 300 })],
  );
  const fraction = fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true });
  const oddTime = fc.constantFrom<unknown>(1e308, 2 ** 53, -1, null, true, [], {}, `${now}`);
  const noTime = fc.oneof(oddTime, fc.string(), fraction);
  const other = fc.string().filter((text) => text !== claims.iss && text !== claims.aud);
  const future = fc.integer({ min: now + 6, max: 2 ** 31 });
  const identity = fc.oneof(noText, none);
  const wrong: Record<string, fc.Arbitrary<unknown>> = {
    ...{ iss: fc.oneof(noText, none, other), aud: fc.oneof(fc.integer(), none, other, fc.array(other)) },
    ...Object.fromEntries(["client_id", "sub", "sid", "email", "jti"].map((name) => [name, identity])),
    ...{ auth_time: fc.oneof(noTime, none), iat: fc.oneof(noTime, none, future), nbf: future },
    exp: fc.oneof(noTime, none, fc.nat(claims.iat - 1), fc.integer({ min: claims.iat + 86_401 })),
    roles: fc.oneof(fc.string(), fc.integer(), fc.array(fc.integer(), { minLength: 1 }), fc.object()),
  };
  const changes = Object.entries(wrong).map(([name, values]) => values.map((value) => ({ [name]: value })));
  await fc.assert(
    fc.asyncProperty(fc.oneof(...changes), async (change) => {
      expect(await verify(buildToken(header, { ...claims, ...change }, sign))).toBeUndefined();
    }),
  );
});

test("a challenge, and a token in a mail, open as they were made, or not at all", async () => {
  const id = createMailId(ada);
  const challenge = await challenges.issue("reset", id);
  const token = await codes.deriveToken({ kind: "undo", id, createdAt: now });
  const parts = [challenge, token].flatMap((text) => text.split("."));
  const swapped = fc.shuffledSubarray(parts, { minLength: 2, maxLength: 2 }).map((parts) => parts.join("."));
  const any = fc.oneof(anyText, mutated(fc.constantFrom(challenge, token)), swapped);
  const property = fc.asyncProperty(any, async (text) => {
    const opened = [
      challenges.open("reset", text),
      challenges.open("login", text),
      codes.openToken("undo", text),
    ];
    const expected = [text === challenge ? id : undefined, undefined, text === token ? id : undefined];
    expect([text, ...(await watchAsync(() => Promise.all(opened)))]).toEqual([text, ...expected]);
  });
  await fc.assert(property, times(8_000));
});

const forms = ["NFC", "NFD", "NFKC", "NFKD"] as const;
const unicode = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

test("a password is the same in every normal form of Unicode, and as long; so is its hash, and of nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(unicode, fc.constantFrom(...forms), unicode, async (text, form, another) => {
      expect(passwordLength(text.normalize(form))).toBe(passwordLength(text));
      expect(isSamePassword(text, another)).toBe(text.normalize("NFKC") === another.normalize("NFKC"));
      const hash = await hashPassword(text);
      expect(await verifyPassword(hash, text.normalize(form))).toBe(true);
      expect(await verifyPassword(hash, another)).toBe(isSamePassword(text, another));
    }),
    times(10),
  );
});
