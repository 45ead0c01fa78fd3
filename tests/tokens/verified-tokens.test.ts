import { beforeEach, expect, jest, test } from "@jest/globals";
import { expectJson, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createForgery } from "../support/forgery.ts";
import { cookieOf } from "../support/pair.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { withClaims, pair } = await createForgery(service);

// What jose verifies signatures with: the real one, and counted.
const verify = jest.spyOn(crypto.subtle, "verify");

/** Every test has a sandbox that has verified nothing yet. */
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = service.createSandbox();
});

const liveToken = () => withClaims({ iat: clock.now, exp: clock.now + 900, auth_time: clock.now });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const open = (token: string) => sandbox.movies(bearer(token));

/** Asserts how many signatures a call verifies. */
async function expectVerified<T>(count: number, call: () => Promise<T>): Promise<T> {
  verify.mockClear();
  const result = await call();
  expect(verify).toHaveBeenCalledTimes(count);
  return result;
}

test("a sandbox verifies the signature of a token once, however it comes, and answers the same; refresh verifies for itself", async () => {
  const token = liveToken();
  const cookies = [cookieOf({ token, refreshToken: pair.refreshToken })];
  const first = await expectVerified(1, () => sandbox.me(bearer(token)));
  expect(first.statusCode).toBe(200);
  const second = await expectVerified(0, () => sandbox.me(bearer(token)));
  const third = await expectVerified(0, () => sandbox.me({ cookies }));
  for (const response of [second, third]) expectJson(response, 200, JSON.parse(first.body ?? ""));
  for (const _ of [1, 2]) await expectVerified(1, () => sandbox.refresh({ cookies }));
  await expectVerified(1, () => service.createSandbox().me(bearer(token)));
});

test("a known token is refused once it has expired, with the same skew", async () => {
  const token = liveToken();
  await open(token);
  clock.advance(904);
  expect((await expectVerified(0, () => open(token))).statusCode).toBe(200);
  clock.advance(1);
  expectProblem(await open(token), refusals.invalidToken);
});

test("a known token with one letter changed is another token", async () => {
  const token = liveToken();
  await open(token);
  const places = [0, token.indexOf(".") + 5, token.lastIndexOf(".") + 1, token.length - 1];
  const others = places.map(
    (at) => token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1),
  );
  for (const other of [...others, `${token}=`, `${token}A`, `${token}.`])
    expectProblem(await open(other), refusals.invalidToken);
  expect((await expectVerified(0, () => open(token))).statusCode).toBe(200);
});
