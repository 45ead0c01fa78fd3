import { expect, test } from "@jest/globals";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { createKey, publicKey, type TestKey } from "../../tests/support/keys.ts";
import type { Session } from "../sessions/session.ts";
import { createPairIssuer } from "./issue-pair.ts";
import { importSigningKeys, type OurJwk } from "./keys.ts";
import { createRefreshToken, createTokenId } from "./refresh-token.ts";

const now = 1_800_000_000;
const issuer = "https://auth.example.com";
const settings = { issuer, audience: "api", clientId: "web", accessTokenTtlSeconds: 900 };
const session: Session = {
  ...{ userId: "user", sessionId: "session", email: "ada@example.com", tokenHash: "hash", keyed: false },
  ...{ sessionEpoch: 0, createdAt: now, expiresAt: now + 86_400 },
};
const old = createKey("EdDSA", { activeFrom: now - 100 });
const next = createKey("EdDSA", { activeFrom: now + 50 });
const refreshToken = createRefreshToken();

async function issuerOf(keys: TestKey[]) {
  const imported = await importSigningKeys(keys as OurJwk[]);
  return createPairIssuer({ ready: async () => {}, get: async () => imported }, settings);
}
const { issue: issuePair } = await issuerOf([old, next]);

/** Header and claims of a token, as any verifier with our public keys reads them. */
function read(token: string, ...keys: TestKey[]) {
  const set = createLocalJWKSet({ keys: keys.map(publicKey) } as unknown as JSONWebKeySet);
  return jwtVerify(token, set, { currentDate: new Date(now * 1_000) });
}

test("a pair is issued as RFC 9068 wants it", async () => {
  const { token, ...others } = await issuePair(session, refreshToken);
  const lives = { expiresInSeconds: 900, sessionExpiresInSeconds: 86_400 };
  expect(others).toEqual({ refreshToken, ...lives, userId: "user", sessionId: "session" });
  const { protectedHeader, payload } = await read(token, old);
  expect(protectedHeader).toEqual({ alg: "EdDSA", typ: "at+jwt", kid: old.kid });
  expect(payload).toEqual({
    ...{ iss: issuer, aud: "api", client_id: "web", sub: "user", sid: "session", email: "ada@example.com" },
    ...{ auth_time: now, iat: now, exp: now + 900, jti: createTokenId(refreshToken) },
  });
  expect((await issuePair({ ...session }, refreshToken)).token).toBe(token);
});

test("a token is as old as the last rotation, and signed with the key of that time", async () => {
  const last = await issuePair({ ...session, rotatedAt: now + 49 }, refreshToken);
  const { payload, protectedHeader } = await read(last.token, old);
  expect(payload).toMatchObject({ auth_time: now, iat: now + 49, exp: now + 949 });
  expect(protectedHeader.kid).toBe(old.kid);
  expect(last).toMatchObject({ expiresInSeconds: 900, sessionExpiresInSeconds: 86_351 });
  const first = await issuePair({ ...session, rotatedAt: now + 50 }, refreshToken);
  expect((await read(first.token, next)).protectedHeader.kid).toBe(next.kid);
});

test("no token outlives its session, and what the team adds takes the place of no claim of ours", async () => {
  const claims = { roles: ["admin"], sub: "somebody else", exp: now + 9_999 };
  const given = { ...session, claims, expiresAt: now + 899 };
  const { token, ...others } = await issuePair(given, refreshToken);
  expect(others).toMatchObject({ expiresInSeconds: 899, sessionExpiresInSeconds: 899 });
  expect((await read(token, old)).payload).toMatchObject({ roles: ["admin"], sub: "user", exp: now + 899 });
});

test("without a key that was active at the time nothing is issued", async () => {
  const cause = expect.objectContaining({ message: expect.stringContaining("no signing key") });
  const call = async () => (await issuerOf([next])).issue(session, refreshToken);
  await expect(call()).rejects.toMatchObject({ code: "unavailable", cause });
});
