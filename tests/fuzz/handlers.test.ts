import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { LambdaHandler } from "../../lib/http/route.ts";
import { type OperationName, operations } from "../../openapi/operations/index.ts";
import { createEvent, type RouteName, routeNames, routes } from "../support/event.ts";
import { cookieOf, type Pair } from "../support/pair.ts";
import { times } from "../support/randomness.ts";
import { createContext, loadHandler } from "../support/sandbox.ts";
import { signingKey, startService } from "../support/service.ts";
import { buildToken, foreignSigner, signerOf } from "../support/token.ts";
import { anyJson, anyText, anything, deepJson, mutated } from "./hostile.ts";
import { watchAsync } from "./oracle.ts";

// Every bundled function, called with events of every kind. Not through the sandbox of the other tests: it would look
// for each random text in each line of the log.
const service = await startService();
const { wire } = service;
const names = routeNames;
const handlers = new Map<string, LambdaHandler>();
for (const name of [...names, "authorizer"]) handlers.set(name, await loadHandler(name, service.environment));

// Each is over when it has logged out.
const pairs: Pair[] = [];
while (pairs.length < 10) pairs.push(await service.logIn());
const { claims, refreshToken, token } = pairs[0] as Pair;
const header = { alg: "EdDSA", typ: "at+jwt", kid: signingKey.kid };
const ours = signerOf(signingKey);
/** What no route may accept. */
const forged = [
  buildToken(header, claims, foreignSigner("EdDSA")),
  buildToken({ ...header, alg: "none" }, claims, () => Buffer.alloc(0)),
  buildToken({ ...header, kid: "__proto__" }, claims, ours),
  buildToken(header, { ...claims, aud: "another" }, ours),
  buildToken(header, { ...claims, sub: { S: claims.sub } }, ours),
];

const anyToken = fc
  .oneof(fc.constantFrom(...forged), mutated(fc.constant(token)), anyText)
  // Blanks around a bearer token are not part of it.
  .filter((text) => text.trim() !== token);
const halves = fc.record({ token: anyToken, refreshToken: fc.oneof(anyText, fc.constant(refreshToken)) });
const cookie = fc.oneof(
  halves.map((pair) => cookieOf(toWellFormed(pair))),
  mutated(fc.constant(cookieOf({ token: forged[0], refreshToken }))),
  anyText.map((text) => `auth-cookie=${text}`),
  anyText.map((text) => `auth-cookie-device=${text}`),
);
const oneOf = (words: string) => fc.constantFrom(...words.split(" "));
const headers =
  "Authorization auth-mode content-type cookie Idempotency-Key origin Sec-Fetch-Site user-agent";
const headerValue = fc.oneof(
  oneOf("bearer application/json same-origin cross-site https://evil.example"),
  ...[anyToken.map((token) => `Bearer ${token}`), cookie, anyText],
);
const email = "ada@example.com";
const pair = { token: forged[0], refreshToken };
const challenge = `${"A".repeat(22)}.${"A".repeat(22)}`;
const newPassword = "correct horse battery";
const soundBodies = [
  { email, password: "short" },
  { email },
  ...[{ newPassword }, { password: newPassword }, {}].map((more) => ({
    challenge,
    code: "K4MXQ2T9W",
    ...more,
  })),
  ...[{ newPassword }, { password: newPassword }].map((more) => ({ token: challenge, ...more })),
  { newEmail: email, password: "a" },
  { password: "" },
  pair,
  { currentPassword: "a" },
];
const soundBody = fc.constantFrom(...soundBodies.map((body) => JSON.stringify(body)));
const body = fc.oneof(
  ...[soundBody, mutated(soundBody)],
  fc.oneof(halves, anyJson).map((value) => JSON.stringify(value)),
  ...[deepJson, anyText],
);
const queryValue = fc.oneof(fc.constant("current"), anyText);
const request = fc.record(
  {
    headers: fc.dictionary(oneOf(headers), headerValue, { maxKeys: 4 }),
    cookies: fc.array(cookie, { maxLength: 3 }),
    ...{ body, method: anyText, isBase64Encoded: fc.boolean() },
    pathParameters: fc.dictionary(fc.constantFrom("sessionId", "__proto__"), anyText, { maxKeys: 2 }),
    query: fc.dictionary(fc.constantFrom("except", "cursor"), queryValue, { maxKeys: 2 }),
    path: fc.oneof(fc.constantFrom("/movies", "/auth/sessions/x", "/auth/login"), anyText),
  },
  { requiredKeys: ["headers"] },
);
const members =
  "headers cookies body requestContext pathParameters queryStringParameters rawPath isBase64Encoded";
/** An event of the gateway, sometimes with a member that no gateway would send. */
const event = (route: RouteName) =>
  fc.tuple(request, fc.option(fc.tuple(oneOf(members), anything), { freq: 4 })).map(([request, odd]) => {
    return { ...createEvent(route, toWellFormed(request)), ...(odd && { [odd[0]]: odd[1] }) };
  });
const call = fc.constantFrom(...names).chain((route) => {
  const input = fc.oneof({ weight: 9, arbitrary: event(route) as fc.Arbitrary<unknown> }, anything);
  return fc.tuple(fc.constant(route), input);
});

/** Answers whether a route says 200 to anybody: it changes nothing and asks for no credentials, or says it to whoever asks. */
function isOpen(route: RouteName): boolean {
  const { needs } = operations[route as OperationName] ?? {};
  return (
    ["logout", "beginPasskeyLogin"].includes(route) ||
    (needs === undefined && !routes[route].startsWith("POST"))
  );
}

/** A call that asks for a code. */
const asking = (route: RouteName): [[RouteName, unknown]] => [
  [route, createEvent(route, { body: { email } })],
];

/** Answers whether a route has a code mailed to whatever address it is told. */
function mailsCode(route: RouteName): boolean {
  const { needs, answers = [] } = operations[route as OperationName] ?? {};
  return needs === undefined && answers.some(({ status }) => status === 202);
}

async function invoke(name: string, event: unknown): Promise<ApiResponse> {
  return (handlers.get(name) as LambdaHandler)(event, createContext());
}

test("without a token of ours every route answers, refuses, and asks nobody", async () => {
  wire.forget();
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(call, async ([route, event]) => {
      const { statusCode, body, cookies } = await watchAsync(() => invoke(route, event));
      // Now and then a changed body is a sound registration.
      const isRegistration = route === "register" && [201, 409].includes(statusCode);
      const isAsked = mailsCode(route) && [202, 429].includes(statusCode);
      if (!isRegistration && !isAsked)
        expect([200, 400, 401, 403, 404, 405, 413, 415, 429]).toContain(statusCode);
      seen.add(statusCode);
      if (statusCode >= 400) expect(JSON.parse(body ?? "")).toMatchObject({ status: statusCode });
      // Logout says success to everybody.
      if (statusCode === 200) expect([route, isOpen(route)]).toEqual([route, true]);
      expect(cookies ?? []).toEqual(statusCode === 200 && route === "logout" ? (cookies ?? []) : []);
      // A login whose body is sound is counted, and looks for the account; a code that is asked for is counted, and mailed.
      const mayAsk = isRegistration || isAsked || (route === "login" && [401, 429].includes(statusCode));
      if (!mayAsk && wire.requests.length > 0) expect([route, wire.names]).toEqual([route, []]);
      wire.forget();
    }),
    // What is seldom drawn is among them in any case.
    { ...times(10_000), examples: names.filter(mailsCode).map(asking) },
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 202, 400, 401, 403, 404, 405, 413, 415]));
});

test("the authorizer lets nobody through, and does not break", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(event("movies") as fc.Arbitrary<unknown>, anything), async (event) => {
      expect(await watchAsync(() => invoke("authorizer", event))).toEqual({ isAuthorized: false });
    }),
    times(1_000),
  );
});

test("with a genuine token the rest of a request still breaks nothing", async () => {
  const genuine = fc.constantFrom(...names).chain((route) =>
    fc.tuple(fc.constant(route), event(route), fc.constantFrom(...pairs)).map(([route, event, pair]) => {
      const { cookie: _, Authorization, ...headers } = (event.headers ?? {}) as Record<string, string>;
      const credentials = Authorization
        ? { headers: { ...headers, authorization: `Bearer ${pair.token}` }, cookies: undefined }
        : { headers, cookies: pair.cookies };
      return [route, { ...event, ...credentials }] as const;
    }),
  );
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(genuine, async ([route, event]) => {
      const { statusCode } = await watchAsync(() => invoke(route, event));
      expect(statusCode).toBeLessThan(500);
      seen.add(statusCode);
    }),
    times(1_000),
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404]));
});

/** Lone surrogates cannot come through HTTP, and encodeURIComponent refuses them. */
function toWellFormed<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member) =>
    typeof member === "string" ? member.toWellFormed() : member,
  );
}
