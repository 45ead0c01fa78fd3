import { beforeEach, expect, jest, test } from "@jest/globals";
import { expectJson, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createForgery, header } from "./support/forgery.ts";
import { cookieOf } from "./support/pair.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { startService } from "./support/service.ts";
import { buildToken, foreignSigner } from "./support/token.ts";

const service = await startService();
const { claims, refreshToken } = (await createForgery(service)).pair;
const { withClaims } = await createForgery(service);

// What jose verifies signatures with: the real one, and counted.
const verify = jest.spyOn(crypto.subtle, "verify");

/** Every test has a sandbox that has verified nothing yet. */
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = service.createSandbox();
});

const liveToken = (members: object = {}) =>
  withClaims({ iat: clock.now, exp: clock.now + 900, auth_time: clock.now, ...members });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const open = (token: string) => sandbox.movies(bearer(token));

/** Asserts how many signatures a call verifies. */
async function expectVerified<T>(count: number, call: () => Promise<T>): Promise<T> {
  verify.mockClear();
  const result = await call();
  expect(verify).toHaveBeenCalledTimes(count);
  return result;
}

test("a sandbox verifies the signature of a token once, however it comes, and answers the same", async () => {
  const token = liveToken();
  const first = await expectVerified(1, () => sandbox.me(bearer(token)));
  expect(first.statusCode).toBe(200);
  const second = await expectVerified(0, () => sandbox.me(bearer(token)));
  const third = await expectVerified(0, () => sandbox.me({ cookies: [cookieOf({ token, refreshToken })] }));
  for (const response of [second, third]) expectJson(response, 200, JSON.parse(first.body ?? ""));
});

test("another sandbox knows nothing of it", async () => {
  const token = liveToken();
  await open(token);
  await expectVerified(1, () => service.createSandbox().movies(bearer(token)));
});

test("a known token is refused once it has expired, with the same skew", async () => {
  const token = liveToken();
  await open(token);
  clock.advance(904);
  expect((await expectVerified(0, () => open(token))).statusCode).toBe(200);
  clock.advance(1);
  expectProblem(await open(token), refusals.invalidToken);
});

test.each(["iat", "nbf"])(
  "a known token is refused while the clock stands more than 5 s before its %s",
  async (name) => {
    const token = liveToken({ iat: clock.now - 100, exp: clock.now + 800, [name]: clock.now });
    expect((await open(token)).statusCode).toBe(200);
    const statusAt = async (at: number) => (await clock.runAt(at, () => open(token))).statusCode;
    expect(await statusAt(clock.now - 6)).toBe(401);
    expect(await statusAt(clock.now - 5)).toBe(200);
  },
);

test("a deployment that ends older sessions refuses their tokens at every call", async () => {
  const raised = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now) });
  const token = liveToken({ auth_time: clock.now - 1 });
  expect((await open(token)).statusCode).toBe(200);
  for (const _ of [1, 2]) expectProblem(await raised.movies(bearer(token)), refusals.invalidToken);
});

test("a known token with one letter changed is another token", async () => {
  const token = liveToken();
  await open(token);
  const places = [0, token.indexOf(".") + 5, token.lastIndexOf(".") + 1, token.length - 1];
  for (const at of places) {
    const letter = token[at] === "A" ? "B" : "A";
    expectProblem(await open(token.slice(0, at) + letter + token.slice(at + 1)), refusals.invalidToken);
  }
  for (const longer of [`${token}=`, `${token}A`, `${token}.`]) {
    expectProblem(await open(longer), refusals.invalidToken);
  }
  expect((await expectVerified(0, () => open(token))).statusCode).toBe(200);
});

test("a refusal is never remembered", async () => {
  const forged = buildToken(header, { ...claims, exp: clock.now + 900 }, foreignSigner("EdDSA"));
  const tooLong = liveToken({ exp: clock.now + 901 });
  const expired = liveToken({ iat: clock.now - 900, exp: clock.now - 5 });
  for (const token of [forged, tooLong, expired]) {
    for (const _ of [1, 2, 3]) {
      expectProblem(await expectVerified(1, () => open(token)), refusals.invalidToken);
    }
  }
});

test("refresh verifies for itself", async () => {
  const pair = await service.logIn();
  await expectVerified(1, () => sandbox.movies({ cookies: pair.cookies }));
  await expectVerified(1, () => sandbox.refresh({ cookies: pair.cookies }));
  await expectVerified(1, () => sandbox.refresh({ cookies: pair.cookies }));
});

test("1,000 tokens are remembered, and the oldest makes room", async () => {
  const tokens = Array.from({ length: 1_001 }, (_, number) => liveToken({ jti: `token ${number}` }));
  const [oldest = "", second = ""] = tokens;
  for (const token of tokens.slice(0, 1_000)) await open(token);
  await expectVerified(0, () => open(oldest));
  await expectVerified(1, () => open(tokens[1_000] as string));
  await expectVerified(0, () => open(second));
  await expectVerified(1, () => open(oldest));
});

test("no forged token makes room for itself", async () => {
  const token = liveToken();
  await open(token);
  const [head, body, signature = ""] = token.split(".");
  for (let number = 0; number < 1_001; number++) {
    const forged = Buffer.from(signature, "base64url");
    forged[number % 64] = (forged[number % 64] ?? 0) ^ (1 + Math.floor(number / 64));
    expect((await open(`${head}.${body}.${forged.toString("base64url")}`)).statusCode).toBe(401);
  }
  await expectVerified(0, () => open(token));
});
