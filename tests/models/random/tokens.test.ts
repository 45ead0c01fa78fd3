import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Session } from "../../../lib/sessions/session.ts";
import { AccessTokenError, selectKey } from "../../../lib/tokens/compact-jws.ts";
import { createTokenId } from "../../../lib/tokens/refresh-token.ts";
import { createTestIssuer } from "../../support/issuer.ts";
import { buildToken, encode } from "../../support/token.ts";

const now = 1_800_000_000;
const { issuePair, verifyExpiredToken, keys, sign, header } = await createTestIssuer(now);

const times = fc
  .tuple(fc.nat(2_000_000), fc.nat(86_400), fc.nat(86_400))
  .map(([age, sinceRotation, left]) => ({
    createdAt: now - age - sinceRotation,
    rotatedAt: now - sinceRotation,
    expiresAt: now - sinceRotation + 1 + left,
  }));
const refreshToken = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const session: fc.Arbitrary<Session> = fc
  .record({
    userId: fc.uuid(),
    sessionId: fc.uuid(),
    email: fc.emailAddress(),
    claims: fc.option(fc.record({ roles: fc.uniqueArray(fc.constantFrom("admin", "editor", "reader")) }), {
      nil: undefined,
    }),
    times,
  })
  .map(({ times, claims, ...ids }) => {
    return { ...ids, tokenHash: "", keyed: false, ...(claims && { claims }), ...times };
  });

test("what is issued is accepted, and says what the session says", async () => {
  await fc.assert(
    fc.asyncProperty(session, refreshToken, async (session, refreshToken) => {
      const { token, expiresInSeconds } = await issuePair(session, refreshToken);
      const { claims, isExpired } = await verifyExpiredToken(token);
      expect(claims).toEqual({
        ...{ iss: "https://api.example.com", aud: "api", client_id: "web", ...session.claims },
        ...{ sub: session.userId, sid: session.sessionId, email: session.email },
        ...{ auth_time: session.createdAt, iat: session.rotatedAt, jti: createTokenId(refreshToken) },
        exp: Math.min((session.rotatedAt ?? 0) + 900, session.expiresAt),
      });
      expect(claims.exp - claims.iat).toBe(expiresInSeconds);
      expect(isExpired).toBe(claims.exp <= now - 5);
    }),
  );
});

const [sample] = fc.sample(fc.tuple(session, refreshToken), { numRuns: 1, seed: 1 }) as [[Session, string]];
const issued = (await issuePair(...sample)).token;
const { claims } = await verifyExpiredToken(issued);

test("no token that differs from an issued one in a single bit is accepted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(issued.length - 1), fc.nat(7), async (at, bit) => {
      const changed = String.fromCharCode(issued.charCodeAt(at) ^ (1 << bit));
      const token = issued.slice(0, at) + changed + issued.slice(at + 1);
      await expect(verifyExpiredToken(token)).rejects.toThrow(AccessTokenError);
    }),
  );
});

const noText = fc.oneof(
  fc.constant(""),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string({ minLength: 1 })),
  fc.object(),
  fc.string({ minLength: 257, maxLength: 300 }),
);
const noTime = fc.oneof(
  fc.string(),
  fc.integer({ max: -1 }),
  fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1e308, 2 ** 53, null, true, false, [], {}, `${now}`),
);
const missing = fc.constant(undefined);
const other = fc.string().filter((text) => text !== claims.iss && text !== claims.aud);
const wrong: Record<string, fc.Arbitrary<unknown>> = {
  ...{ iss: fc.oneof(noText, missing, other), aud: fc.oneof(fc.integer(), missing, other, fc.array(other)) },
  ...{ client_id: fc.oneof(noText, missing), sub: fc.oneof(noText, missing), sid: fc.oneof(noText, missing) },
  ...{
    email: fc.oneof(noText, missing),
    jti: fc.oneof(noText, missing),
    auth_time: fc.oneof(noTime, missing),
  },
  iat: fc.oneof(noTime, missing, fc.integer({ min: now + 6, max: 2 ** 31 })),
  exp: fc.oneof(
    noTime,
    missing,
    fc.integer({ min: 0, max: claims.iat - 1 }),
    fc.integer({ min: claims.iat + 86_401 }),
  ),
  nbf: fc.integer({ min: now + 6, max: 2 ** 31 }),
  roles: fc.oneof(fc.string(), fc.integer(), fc.array(fc.integer(), { minLength: 1 }), fc.object()),
};

test("no claim that the issuer does not make is accepted, whoever has signed it", async () => {
  const change = fc.oneof(
    ...Object.entries(wrong).map(([name, value]) => value.map((value) => ({ [name]: value }))),
  );
  await fc.assert(
    fc.asyncProperty(change, async (changes) => {
      const token = buildToken(header, { ...claims, ...changes }, sign);
      await expect(verifyExpiredToken(token)).rejects.toThrow(AccessTokenError);
    }),
  );
});

/** Base64url as RFC 4648 has it: nothing but its letters, and no spare bits. */
const canonical = /^(?=.)(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

function isWellFormed(token: string): boolean {
  const segments = token.split(".");
  if (token.length > 4_096 || segments.length !== 3 || !segments.every((part) => canonical.test(part)))
    return false;
  try {
    const {
      alg,
      kid,
      typ: _,
      ...others
    } = JSON.parse(Buffer.from(segments[0] ?? "", "base64url").toString());
    return alg === header.alg && kid === header.kid && Object.keys(others).length === 0;
  } catch {
    return false;
  }
}

test("the check before any cryptography takes exactly the canonical form", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."AQgwEIMUYcZaz09-_"), maxLength: 9 });
  const bytes = fc.uint8Array({ maxLength: 12 }).map((bytes) => encode(Buffer.from(bytes)));
  const padded = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
  const odd = fc.constantFrom("", " ", "=", "A=", "AA\n", "Ä", "A".repeat(4_000), "A".repeat(3_900), "A+/A");
  const members = fc.record(
    {
      typ: fc.constantFrom("at+jwt", 1),
      alg: fc.constantFrom(header.alg, "none", "HS256"),
      kid: fc.constantFrom(header.kid, "x", 1),
      jku: fc.string(),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<object>;
  const ours = fc.oneof(
    { weight: 4, arbitrary: fc.constant(encode(header)) },
    members.map(encode),
    fc.json().map(encode),
  );
  const part = fc.oneof({ weight: 3, arbitrary: bytes }, { weight: 2, arbitrary: letters }, padded, odd);
  const token = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(ours, part, part) },
    fc.array(fc.oneof(ours, part), { maxLength: 5 }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(token, (parts) => {
      const text = parts.join(".");
      const select = () => selectKey(text, keys);
      if (!isWellFormed(text)) return expect(select).toThrow(AccessTokenError);
      accepted++;
      expect(select().alg).toBe(header.alg);
    }),
  );
  expect(accepted).toBeGreaterThan(100);
});
