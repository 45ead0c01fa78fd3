import { expect, jest, test } from "@jest/globals";
import { expectJson } from "../support/answer.ts";
import { cookieOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const pair = await service.logIn();

// What jose verifies signatures with: the real one, and counted.
const verify = jest.spyOn(crypto.subtle, "verify");

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** Asserts how many signatures a call verifies. */
async function expectVerified<T>(count: number, call: () => Promise<T>): Promise<T> {
  verify.mockClear();
  const result = await call();
  expect(verify).toHaveBeenCalledTimes(count);
  return result;
}

// That a known token is refused once it has expired is in lib/tokens/verify-access-token.test.ts.
test("a sandbox verifies the signature of a token once, however it comes, and answers the same; refresh verifies for itself", async () => {
  const sandbox = service.createSandbox();
  const { token } = pair;
  const cookies = [cookieOf({ token, refreshToken: pair.refreshToken })];
  const first = await expectVerified(1, () => sandbox.me(bearer(token)));
  expect(first.statusCode).toBe(200);
  const second = await expectVerified(0, () => sandbox.me(bearer(token)));
  const third = await expectVerified(0, () => sandbox.me({ cookies }));
  for (const response of [second, third]) expectJson(response, 200, JSON.parse(first.body ?? ""));
  for (const _ of [1, 2]) await expectVerified(1, () => sandbox.refresh({ cookies }));
  await expectVerified(1, () => service.createSandbox().me(bearer(token)));
});
