import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createForgery, header, ours } from "../support/forgery.ts";
import { createKey, keySettings, publicKey } from "../support/keys.ts";
import { cookieOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { buildToken, encode, signerOf } from "../support/token.ts";

// Through the door, a sample: every way to forge a token is in lib/tokens/verify-access-token.test.ts.
const service = await startService();
const { sandbox, expectRequests } = service;
const stranger = await service.logIn({ account: await service.addAccount() });
const { pair, withHeader, withClaims, expectRefusedEverywhere } = await createForgery(service);
const { refreshToken, claims } = pair;
const [head = "", body = "", signature = ""] = pair.token.split(".");
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

let heard = 0;
const listener = createServer((_, response) => {
  heard++;
  response.end(JSON.stringify({ keys: [publicKey(attacker)] }));
});
listener.listen(0, "127.0.0.1").unref();
await once(listener, "listening");
afterAll(() => void listener.close());
const away = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jwks.json`;
const attacker = createKey("EdDSA");
const theirs = signerOf(attacker);

test("the token that the others are made of is accepted", async () => {
  const token = withClaims({});
  expect(token).toBe(pair.token);
  expect((await sandbox.movies(bearer(token))).statusCode).toBe(200);
  const cookies = [cookieOf({ token, refreshToken: `${refreshToken.slice(0, -4)}AAAA` })];
  expectProblem(await sandbox.refresh({ cookies }), refusals.invalidRefreshToken);
});

const forged: Record<string, string[]> = {
  "J04 alg none, with the original signature": [`${encode({ ...header, alg: "none" })}.${body}.${signature}`],
  "J06 too few or too many segments": ["", "x", head, "..", "a.b.c", `.${pair.token}`, `${pair.token}.`],
  "J09 another's key under our kid": [buildToken(header, claims, theirs)],
  "J10 an algorithm that is not the key's": ["ES256", "Ed25519", "HS256"].map((alg) => withHeader({ alg })),
  "J12 J13 a URL of the attacker's keys or certificate": [{ jku: away }, { kid: away }, { x5u: away }].map(
    (members) => buildToken({ ...header, ...members }, claims, theirs),
  ),
  "J22 another typ": [withHeader({ typ: "JWT" })],
  "J23 J24 another issuer or audience": [withClaims({ iss: `${claims.iss}/` }), withClaims({ aud: "web" })],
  "J31 a user id that is no text": [withClaims({ sub: { S: "x" } })],
  "J43 J45 padding, a blank, other characters": [
    ...[`${pair.token}=`, `${head} .${body}.${signature}`, pair.token.replaceAll(".", "%2E")],
    ...[`\ufeff${pair.token}`, `${pair.token}\ud800`],
  ],
  "J46 more than 4,096 bytes, correctly signed": [withClaims({ x: "x".repeat(100_000) })],
  "J48 the JSON form of a JWS": [JSON.stringify({ protected: head, payload: body, signature })],
  "J50 a refresh token": [refreshToken, `${refreshToken}.${refreshToken}.${refreshToken}`],
  "J51 the claims of another token": [`${head}.${stranger.token.split(".")[1]}.${signature}`],
};

describe("a forged or malformed access token is refused everywhere, and nobody is asked", () => {
  test.each(Object.entries(forged))("%s", async (_, tokens) => {
    for (const token of tokens) await expectRefusedEverywhere(token);
    expect(heard).toBe(0);
    await service.expectControlUnharmed();
    expect((await sandbox.movies({ cookies: pair.cookies })).statusCode).toBe(200);
  });

  test("J26 J29 R33 and so is an expired one with any other defect", async () => {
    const expired = { iat: clock.now - 2_000, exp: clock.now - 1_100 };
    await expectRefusedEverywhere(withClaims({ ...expired, aud: "web" }));
    await expectRefusedEverywhere(buildToken(header, { ...claims, ...expired }, theirs));
  });

  test("J52 one that another key of ours has signed", async () => {
    const second = createKey("ES256");
    const both = service.createSandbox(keySettings(second));
    const good = buildToken({ ...header, kid: second.kid, alg: "ES256" }, claims, signerOf(second));
    expect((await both.movies(bearer(good))).statusCode).toBe(200);
    await expectRefusedEverywhere(good);
    await expectRefusedEverywhere(pair.token, both);
  });
});

test("J01 T10 an expired token is refused on /movies and refreshes", async () => {
  const { cookies } = await service.logIn();
  expect((await sandbox.movies({ cookies })).statusCode).toBe(200);
  clock.advance(904);
  expect((await sandbox.movies({ cookies })).statusCode).toBe(200);
  // Or for hours, in a sandbox that was frozen.
  for (const seconds of [1, 7_200]) {
    clock.advance(seconds);
    for (const route of ["movies", "me"] as const)
      expectProblem(await expectRequests([], () => sandbox[route]({ cookies })), refusals.invalidToken);
  }
  expect((await sandbox.refresh({ cookies })).statusCode).toBe(200);
});

test("J32 R30 a genuine token reaches the session of exactly its user and its session id", async () => {
  const victim = await service.logIn();
  const { sub, sid } = victim.claims;
  for (const identity of [
    ...[stranger.claims.sub, `${sub}#${sid}`, `${sub}\0`, sub.toUpperCase()].map((sub) => ({ sub, sid })),
    { sub, sid: `${sid} ` },
  ]) {
    const token = buildToken(header, { ...victim.claims, ...identity }, ours);
    const cookies = [cookieOf({ token, refreshToken: victim.refreshToken })];
    const call = () => sandbox.refresh({ cookies });
    expectProblem(await expectRequests(["UpdateItem sessions"], call), refusals.tokenExpired);
  }
  expect((await service.refresh(victim)).statusCode).toBe(200);
});

test("J41 the other ES256 signature with the same r brings no ended session back", async () => {
  const elliptic = service.createSandbox(keySettings(createKey("ES256")));
  const own = await service.logIn({ as: elliptic, account: await service.addAccount() });
  const cookies = [cookieOf({ token: mirror(own.token), refreshToken: own.refreshToken })];
  const body = { currentPassword: "not the right password", newPassword: "another private sentence" };
  // Both verify: a signature of ECDSA is one of two. Nothing here goes by a token's text.
  expect((await elliptic.movies({ cookies })).statusCode).toBe(200);
  expectProblem(await elliptic.changePassword({ cookies, body }), refusals.wrongPassword);
  await elliptic.logout({ cookies: own.cookies });
  expectProblem(await elliptic.changePassword({ cookies, body }), refusals.invalidToken);
  expectProblem(await elliptic.refresh({ cookies }), refusals.tokenExpired);
});

/** Replaces s of an ES256 signature by n - s. */
function mirror(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const at = token.lastIndexOf(".") + 1;
  const bytes = Buffer.from(token.slice(at), "base64url");
  const s = order - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  const other = Buffer.from(s.toString(16).padStart(64, "0"), "hex");
  return token.slice(0, at) + Buffer.concat([bytes.subarray(0, 32), other]).toString("base64url");
}
