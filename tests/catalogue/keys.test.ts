import { randomUUID } from "node:crypto";
import { expect, jest, test } from "@jest/globals";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { createForgery } from "../support/forgery.ts";
import { createKey, keySettings, type TestKey } from "../support/keys.ts";
import { createContext, loadHandler } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";
import { buildToken, encode, signerOf } from "../support/token.ts";

const service = await startService();
const { sandbox, environment, wire, expectRequests, expectRefusal } = service;
const { pair, expectRefusedEverywhere } = await createForgery(service);
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** A live token that a key of any algorithm has signed, with whatever else is said of it. */
function signedBy(key: TestKey, members: object = {}): string {
  const claims = { ...pair.claims, iat: clock.now, exp: clock.now + 900 };
  return buildToken({ alg: key.alg, typ: "at+jwt", kid: key.kid, ...members }, claims, signerOf(key));
}

test("K04 the key set has of each key its public members, kid, alg and use, and may be kept ten minutes", async () => {
  const members = { EdDSA: ["crv", "x"], ES256: ["crv", "x", "y"], RS256: ["e", "n"] };
  const keys = (Object.keys(members) as TestKey["alg"][]).map((alg) => createKey(alg));
  const response = await expectRequests([], () => service.createSandbox(keySettings(...keys)).jwks());
  expect(response.headers["cache-control"]).toBe("public, max-age=600");
  const published: TestKey[] = bodyOf(response).keys;
  expect(published.map(({ kid }) => kid)).toEqual(keys.map(({ kid }) => kid));
  for (const key of published) {
    expect(Object.keys(key).sort()).toEqual(["alg", "kid", "kty", "use", ...members[key.alg]].sort());
    expect(key.use).toBe("sig");
  }
});

test("K05 the key set takes GET only, and is the same with a cookie", async () => {
  const path = "/.well-known/jwks.json";
  const routed = service.createSandbox({ ROUTES: `${environment.ROUTES},GET ${path}` });
  for (const method of ["POST", "PUT", "DELETE", "HEAD"]) {
    await expectRefusal(() => routed.notFound({ method, path, cookies: pair.cookies }), {
      ...{ status: 405, code: "method_not_allowed", detail: "This path takes GET." },
      headers: { allow: "GET" },
    });
  }
  const response = await sandbox.jwks({ cookies: pair.cookies });
  expect(response).toEqual(await sandbox.jwks());
  expect(response.cookies).toBeUndefined();
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

test("K13 sandboxes whose key sets overlap agree about the keys that both have", async () => {
  const [first, second, third] = [createKey("EdDSA"), createKey("EdDSA"), createKey("EdDSA")] as const;
  const [a, b] = [keySettings(first, second), keySettings(second, third)].map(service.createSandbox);
  const statuses = [a, b].map((as) =>
    Promise.all(
      [first, second, third].map(async (key) => (await as?.movies(bearer(signedBy(key))))?.statusCode),
    ),
  );
  expect(await Promise.all(statuses)).toEqual([
    [200, 200, 401],
    [401, 200, 200],
  ]);
});

test("K14 the kid of an RSA key with ES256, and the reverse, are refused", async () => {
  const [rsa, elliptic] = [createKey("RS256"), createKey("ES256")];
  const both = service.createSandbox(keySettings(rsa, elliptic));
  for (const key of [rsa, elliptic]) expect((await both.movies(bearer(signedBy(key)))).statusCode).toBe(200);
  for (const token of [
    signedBy(elliptic, { kid: rsa.kid }),
    signedBy(rsa, { kid: elliptic.kid }),
    signedBy(elliptic, { alg: "RS256" }),
    signedBy(rsa, { alg: "ES256" }),
  ]) {
    await expectRefusedEverywhere(token, both);
    expectProblem(await both.me(bearer(token)), refusals.invalidToken);
  }
});
