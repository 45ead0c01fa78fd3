import { randomUUID } from "node:crypto";
import { expect, jest, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { createKey, keySettings, publicKey, type TestKey } from "../support/keys.ts";
import { createContext, loadHandler } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";
import { buildToken, encode, signerOf } from "../support/token.ts";

const service = await startService();
const { environment, wire, expectRequests } = service;
const pair = await service.logIn();
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("K04 K05 the key set has of each key its public members, kid, alg and use, and may be kept ten minutes", async () => {
  const keys = (["EdDSA", "ES256", "RS256"] as const).map((alg) => createKey(alg));
  const published = service.createSandbox(keySettings(...keys));
  const response = await expectRequests([], () => published.jwks());
  expect(bodyOf(response)).toEqual(JSON.parse(JSON.stringify({ keys: keys.map(publicKey) })));
  expect(await published.jwks({ cookies: pair.cookies })).toEqual({ ...response, cookies: undefined });
  for (const { headers, body } of [response, await expectRequests([], () => published.discovery())]) {
    expect(headers["cache-control"]).toBe("public, max-age=600");
    for (const { d = "" } of keys) expect(body).not.toContain(d);
  }
});

test("K06 10,000 tokens with unknown kids ask nobody, and cost no signature", async () => {
  const handler = await loadHandler("movies", environment);
  const verify = jest.spyOn(crypto.subtle, "verify");
  const rest = pair.token.slice(pair.token.indexOf("."));
  wire.forget();
  for (let i = 0; i < 10_000; i++) {
    const header = { alg: "EdDSA", typ: "at+jwt", kid: randomUUID() };
    const event = createEvent("movies", bearer(encode(header) + rest));
    const { statusCode } = await handler(event, createContext());
    if (statusCode !== 401) expect(statusCode).toBe(401);
  }
  expect(verify).not.toHaveBeenCalled();
  verify.mockRestore();
  expect(wire.names).toEqual([]);
  const event = createEvent("movies", { cookies: pair.cookies });
  expect((await handler(event, createContext())).statusCode).toBe(200);
  await service.expectControlUnharmed();
});

// That a known token is refused once it has expired is in lib/tokens/verify-access-token.test.ts.
test("a sandbox verifies the signature of a token once, however it comes; refresh verifies for itself", async () => {
  const own = service.createSandbox();
  const other = service.createSandbox();
  // Each function verifies a token of nobody's when it starts
  await Promise.all([own.me(), own.refresh(), other.me()]);
  const verify = jest.spyOn(crypto.subtle, "verify");
  const { cookies, token } = pair;
  const [first, ...others] = [
    await own.me(bearer(token)),
    await own.me(bearer(token)),
    await own.me({ cookies }),
  ];
  expect(others.map(bodyOf)).toEqual(others.map(() => bodyOf(first as ApiResponse)));
  expect(verify).toHaveBeenCalledTimes(1);
  for (const _ of [1, 2]) await own.refresh({ cookies });
  expect(verify).toHaveBeenCalledTimes(3);
  await other.me(bearer(token));
  expect(verify).toHaveBeenCalledTimes(4);
  verify.mockRestore();
});

test("before its first event a sandbox has verified and signed once, and asked the database nothing", async () => {
  const verify = jest.spyOn(crypto.subtle, "verify");
  const sign = jest.spyOn(crypto.subtle, "sign");
  wire.forget();
  await loadHandler("me", environment);
  expect([verify.mock.calls.length, sign.mock.calls.length]).toEqual([1, 0]);
  await loadHandler("refresh", environment);
  expect([verify.mock.calls.length, sign.mock.calls.length]).toEqual([2, 1]);
  // That of the token which it had just signed
  expect(await Promise.all(verify.mock.results.map(({ value }) => value))).toEqual([false, true]);
  expect(wire.names).toEqual([]);
  for (const spy of [verify, sign]) spy.mockRestore();
});

test("K13 sandboxes whose key sets overlap agree about the keys that both have", async () => {
  const [first, second, third] = [createKey("EdDSA"), createKey("EdDSA"), createKey("EdDSA")] as const;
  const signedBy = (key: TestKey) => {
    const claims = { ...pair.claims, iat: clock.now, exp: clock.now + 900 };
    return buildToken({ alg: key.alg, typ: "at+jwt", kid: key.kid }, claims, signerOf(key));
  };
  const sandboxes = [keySettings(first, second), keySettings(second, third)].map(service.createSandbox);
  const statuses: number[] = [];
  for (const as of sandboxes)
    for (const key of [first, second, third])
      statuses.push((await as.movies(bearer(signedBy(key)))).statusCode);
  expect(statuses).toEqual([200, 200, 401, 401, 200, 200]);
});
