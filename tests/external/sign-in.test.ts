import { expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { stateOf } from "../../lib/providers/flow.ts";
import { bodyOf, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest } from "../support/event.ts";
import { createSignIns, keptOf } from "../support/external.ts";
import { loseAnswer } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { startProvider } from "../support/provider.ts";
import { type Step, startService } from "../support/service.ts";

// Sign-in at a real OpenID provider: what the flow promises. Whose account it opens: accounts.test.ts; what a provider may answer:
// answers.test.ts.

const page = "https://app.example.com/signed-in/test";
const service = await startService();
const { database, wire, expectRequests, expectRefusal } = service;
const real = await startProvider(page, {
  ada: { email: "Ada@Example.com", email_verified: true },
  grace: { email: "grace@example.com", email_verified: true },
});
const odd = await startOddProvider();
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    real.entry,
    {
      id: "odd",
      clientId: "web",
      redirectUris: ["https://app.example.com/odd", "https://app.example.com/other"],
      ...odd.endpoints,
    },
  ]),
  PROVIDER_KEYS: JSON.stringify({ ...real.keys, odd: { clientSecret: "a-client-secret-of-odd" } }),
});
const { begin, finish } = createSignIns(sandbox, "test");
const atOdd = createSignIns(sandbox, "odd");

const over = {
  ...{ status: 400, code: "sign_in_over" },
  detail: "This sign-in was begun elsewhere, or too long ago. Begin again.",
};
const refused = { status: 400, code: "sign_in_refused", detail: "The sign-in was refused. Begin again." };
const away = {
  ...{ status: 503, code: "provider_unavailable", headers: { "retry-after": "2" } },
  detail: "The provider does not answer. Try again in a moment.",
};

const entry = "GetItem identities";
const user = "GetItem users";
const put = "PutItem sessions";
const note = "UpdateItem attempts";
const knownSteps: Step[] = [note, entry, user, put, [note, user]];
const newSteps: Step[] = [note, entry, entry, "TransactWriteItems users identities", put, [note, user]];

let users = 0;

/** A sign-in at the odd provider of somebody it has not seen, come to where the page is opened. */
async function returnFromOdd() {
  const begun = await atOdd.begin();
  const sub = String(++users);
  const claims = { sub, email: `user-${users}@example.com`, email_verified: true };
  return { begun, code: odd.createCode(odd.claims(begun.nonce, claims)) };
}

test("a sign-in makes an account, and the next one opens it; the log has neither code nor token", async () => {
  const begun = await begin();
  const url = new URL(begun.authorizationUrl);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...{ response_type: "code", client_id: "web", redirect_uri: page, scope: "openid email" },
    ...{ state: begun.state, nonce: begun.nonce, code_challenge_method: "S256" },
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
  });
  const returned = await real.signIn(begun.authorizationUrl, "ada");
  const response = await expectRequests(newSteps, () => finish(begun, returned));
  expectJson(response, 200, { msg: "success" });
  expect(response.cookies?.[0]).toBe(
    `${begun.cookies[0]?.split("=")[0]}=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0`,
  );
  const { claims } = pairOf(response);
  expect(claims).toMatchObject({ email: "ada@example.com", auth_time: clock.now });
  const account = await database.find("users", { userId: claims.sub });
  expect(account).toEqual({
    ...{ userId: claims.sub, email: "ada@example.com", emailVerifiedAt: clock.now, language: "en" },
    ...{ identityIds: new Set([expect.stringMatching(/^external:[\w-]{43}$/)]), createdAt: clock.now },
    ...{ sessionEpoch: 0, sweptEpoch: 0 },
    lastChange: expect.objectContaining({ event: "user_created", by: "provider" }),
  });
  expect(log.entries().at(-1)).toMatchObject({ event: "user_created", by: "provider", userId: claims.sub });

  const next = await begin();
  const returnedAgain = await real.signIn(next.authorizationUrl, "ada");
  const again = await expectRequests(knownSteps, () => finish(next, returnedAgain));
  expect(pairOf(again).claims.sub).toBe(claims.sub);
  expect(log.entries().at(-1)?.event).toBe("authn_login_success");
  expect((await sandbox.me({ cookies: keptOf(again) })).statusCode).toBe(200);
});

test("the providers are listed; one that is not there is not found", async () => {
  const response = await sandbox.listProviders();
  expect(bodyOf(response)).toEqual({
    providers: [
      { id: "test", name: "Test provider" },
      { id: "odd", name: "odd" },
    ],
  });
  expect(response.headers["cache-control"]).toBe("public, max-age=600");
  const missing = { status: 404, code: "not_found", detail: "There is no such provider." };
  const pathParameters = { provider: "toString" };
  expectProblem(await sandbox.beginExternal({ pathParameters }), missing);
  const body = { code: "code", state: "s".repeat(43) };
  expectProblem(await sandbox.finishExternal({ pathParameters, body }), missing);
});

test.each([
  "https://app.example.com/odd/",
  "https://app.example.com/ODD",
  "https://app.example.com/x/../odd",
  "https://user@app.example.com/odd",
  "https://app.example.com/odd#",
  "https://evil.example/odd",
  ...[7, null, { toString: 1 }, ["https://app.example.com/odd"], [[["https://app.example.com/odd"]]]],
])("X01 a page that is not listed, %j: 400, and no cookie", async (redirectUri) => {
  const response = await sandbox.beginExternal({
    pathParameters: { provider: "odd" },
    body: { redirectUri },
  });
  expectProblem(
    response,
    invalidBody(["redirectUri", "must be one of the provider's in IDENTITY_PROVIDERS"]),
  );
  const other = { redirectUri: "https://app.example.com/other" };
  const begun = await atOdd.begin({ body: other });
  expect(new URL(begun.authorizationUrl).searchParams.get("redirect_uri")).toBe(other.redirectUri);
});

test("X01 a body that says anything else is refused", async () => {
  const pathParameters = { provider: "odd" };
  expectProblem(
    await sandbox.beginExternal({ pathParameters, body: { returnTo: "/" } }),
    invalidBody(["returnTo", "is not known"]),
  );
  expectProblem(await sandbox.beginExternal({ pathParameters, body: [] }), refusals.noObject);
});

test("X02 a page of another site begins nothing and ends nothing", async () => {
  const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  expectProblem(
    await sandbox.beginExternal({ pathParameters: { provider: "odd" }, headers }),
    refusals.crossSite,
  );
  const { begun, code } = await returnFromOdd();
  await expectRefusal(() => atOdd.finish(begun, { code }, { headers }), refusals.crossSite);
});

test("X03 two tabs, ended in the other order: both sign in", async () => {
  const [first, second] = [await returnFromOdd(), await returnFromOdd()];
  const cookies = [...first.begun.cookies, ...second.begun.cookies];
  for (const { begun, code } of [second, first])
    expect((await atOdd.finish({ ...begun, cookies }, { code })).statusCode).toBe(200);
});

test("X04 a browser that begins a fourth time loses the cookies of the others", async () => {
  const cookies: string[] = [];
  for (let i = 0; i < 3; i++) cookies.push(...(await atOdd.begin({ cookies })).cookies);
  const fourth = await sandbox.beginExternal({ pathParameters: { provider: "odd" }, cookies });
  const cleared = (fourth.cookies ?? []).filter((line) => line.includes("Max-Age=0"));
  expect(cleared.map((line) => line.split("=")[0])).toEqual(cookies.map((cookie) => cookie.split("=")[0]));
  const [, set = ""] = [fourth.cookies?.at(-2), fourth.cookies?.at(-1)];
  expect(set).toMatch(
    /^auth-cookie-flow-[\w-]{8}=odd~\d{10}~~0~[\w-]{43}; HttpOnly; Secure; SameSite=Strict; Path=\/; Max-Age=600$/,
  );
});

const flowCookies = (count: number, toName: (i: string) => string) =>
  Array.from({ length: count }, (_, i) => `auth-cookie-flow-${toName(String(i).padStart(8, "_"))}=x`);

test.each<[string, string[], number]>([
  ["three names of 2,100 characters", flowCookies(3, (i) => i.padEnd(2_100, "x")), 0],
  ["three names of 7 characters", flowCookies(3, (i) => i.slice(1)), 0],
  ["control characters, a blank, a letter", flowCookies(9, (i) => `\u0001\n é_${i.slice(-3)}`), 0],
  ["400 names", flowCookies(400, (i) => i), 20],
])(
  "X04 flow cookies that nobody has set, %s: what is cleared is bounded, by names of ours",
  async (_, cookies, count) => {
    const response = await sandbox.beginExternal({ pathParameters: { provider: "odd" }, cookies });
    expect([response.statusCode, response.cookies?.length]).toEqual([200, count + 1]);
    for (const line of response.cookies ?? [])
      expect(line).toMatch(/^auth-cookie-flow-[\w-]{8}=[\w~-]*; HttpOnly/);
  },
);

const change = (cookie: string, from: RegExp, to: string) => cookie.replace(from, to);
test.each<[string, (cookies: string[]) => string[]]>([
  ["without its cookie, as in another's browser", () => []],
  ["one character of its text is another", ([cookie = ""]) => [change(cookie, /.{5}$/, "AAAAA")]],
  ["it ends an hour later", ([cookie = ""]) => [change(cookie, /~(\d+)~/, `~${clock.now + 4_200}~`)]],
  ["two cookies of its name", ([cookie = ""]) => [cookie, `${cookie}x`]],
  ["its text is none", ([cookie = ""]) => [change(cookie, /=.*/, "=x")]],
])("X05 X07 a return where %s: over, and nobody is asked", async (_, toCookies) => {
  const victim = await service.logIn();
  const { begun, code } = await returnFromOdd();
  const cookies = toCookies(begun.cookies);
  const { paths } = odd;
  await expectRefusal(
    () => atOdd.finish({ ...begun, cookies: [...victim.cookies, ...cookies] }, { code }),
    over,
  );
  expect(odd.paths).toEqual(paths);
  await service.rotate(victim);
});

test("X05 a return at another provider, or 600 s after the start: over", async () => {
  const { begun, code } = await returnFromOdd();
  await expectRefusal(() => finish(begun, { code }), over);
  clock.advance(600);
  await expectRefusal(() => atOdd.finish(begun, { code }), over);
});

test("X05 who makes up a flow with its state is over where that ends later than any does", async () => {
  const text = `odd~${clock.now + 601}~~0~${"A".repeat(43)}`;
  const state = stateOf({ text });
  const cookies = [`auth-cookie-flow-${state.slice(0, 8)}=${text}`];
  await expectRefusal(() => atOdd.finish({ cookies, state }, { code: "code" }), over);
});

test("X08 ten requests at once and ten later: one asks the provider, and all get the same bytes", async () => {
  const { begun, code } = await returnFromOdd();
  const call = (): Promise<ApiResponse> => atOdd.finish(begun, { code });
  const first = await Promise.all(Array.from({ length: 10 }, call));
  const [done, ...others] = first.toSorted((a, b) => a.statusCode - b.statusCode);
  for (const other of others) {
    if (other.statusCode === 200) expect(other.cookies).toEqual(done?.cookies);
    else expectProblem(other, refusals.unavailable);
  }
  for (const later of await Promise.all(Array.from({ length: 10 }, call)))
    expect([later.statusCode, later.body, later.cookies]).toEqual([200, done?.body, done?.cookies]);
  expect(odd.paths.filter((path) => path === "/token")).toHaveLength(1);
});

test("X08 a repeat sends two requests, and asks nobody else", async () => {
  const { begun, code } = await returnFromOdd();
  await atOdd.finish(begun, { code });
  clock.advance(599);
  const asked = odd.paths.length;
  await expectRequests([note, "GetItem sessions"], () => atOdd.finish(begun, { code }));
  expect(odd.paths).toHaveLength(asked);
});

test("X08 a real provider that saw no code twice has not revoked anything: the next sign-in goes through", async () => {
  const begun = await begin();
  const returned = await real.signIn(begun.authorizationUrl, "grace");
  const [one, two] = [await finish(begun, returned), await finish(begun, returned)];
  expect(two).toEqual(one);
  const next = await begin();
  expect((await finish(next, await real.signIn(next.authorizationUrl, "grace"))).statusCode).toBe(200);
});

test("X09 a function that dies before it is done: 503 for 12 s, then the code is sent again", async () => {
  const { begun, code } = await returnFromOdd();
  // The item that it leaves behind.
  wire.break("GetItem identities", loseAnswer, { times: 9 });
  expectProblem(await atOdd.finish(begun, { code }), refusals.unavailable);
  wire.mend();
  clock.advance(11);
  expectProblem(await atOdd.finish(begun, { code }), refusals.unavailable);
  clock.advance(1);
  expect((await atOdd.finish(begun, { code })).statusCode).toBe(200);
});

test.each<[string, (response: ApiResponse) => Promise<unknown>, ClientRequest]>([
  ["after logout", (response) => sandbox.logout({ cookies: keptOf(response) }), {}],
  [
    "after a refresh",
    async (response) => {
      clock.advance(60);
      await sandbox.refresh({ cookies: keptOf(response) });
    },
    {},
  ],
  [
    "without the Session-Key of the first",
    async () => {},
    { headers: { "session-key": `${"a".repeat(42)}A` } },
  ],
])("X10 a repeat %s is refused, and nothing is revived", async (_, act, request) => {
  const { begun, code } = await returnFromOdd();
  const response = await atOdd.finish(begun, { code }, request);
  await act(response);
  const before = await service.findSession(pairOf(response));
  expectProblem(await atOdd.finish(begun, { code }), refused);
  expect(await service.findSession(pairOf(response))).toEqual(before);
});

test("X11 a provider that is away: 503, and the same return is good a moment later", async () => {
  const { begun, code } = await returnFromOdd();
  odd.answer("/token", (request) => request.socket.destroy());
  expectProblem(await atOdd.finish(begun, { code }), away);
  expect(log.entries().at(-1)).toMatchObject({ event: "failure", code: "provider_unavailable" });
  odd.answer("/token", undefined);
  expect((await atOdd.finish(begun, { code })).statusCode).toBe(200);
});

test.each<[id: string, toIss: () => string | undefined, isTaken: boolean]>([
  ["test", () => real.issuer, true],
  ["test", () => "https://evil.example", false],
  ["test", () => `${real.issuer}/`, false],
  ["test", () => undefined, false],
  ["odd", () => odd.issuer, true],
  ["odd", () => undefined, true],
  ["odd", () => real.issuer, false],
])("X12 the provider %s names itself in the return by iss, or not: %#", async (id, toIss, isTaken) => {
  const { begin, finish } = createSignIns(sandbox, id);
  const begun = await begin();
  const iss = toIss();
  const returned = { code: "no code at all", ...(iss !== undefined && { iss }) };
  expectProblem(await finish(begun, returned), isTaken ? refused : over);
});

test("X63 a provider sends the browser on to another one, which knows who it is: over on that one's page, and no code is sent", async () => {
  const begun = await atOdd.begin();
  // The first one has begun there itself, and puts our state in.
  const url = new URL((await begin()).authorizationUrl);
  url.searchParams.set("state", begun.state);
  const { state, ...returned } = await real.signIn(url.href, "ada");
  expect(state).toBe(begun.state);
  await expectRefusal(() => finish(begun, returned), over);
  await expectRefusal(() => atOdd.finish(begun, returned), over);
  expect(odd.paths).toEqual([]);
});

test("X13 a code with any signs and of any length arrives as it was", async () => {
  const begun = await atOdd.begin();
  const code = `4/0A+b%2F= ${"x".repeat(3_000)}`;
  await atOdd.finish(begun, { code });
  expect(odd.forms.map((form) => form.get("code"))).toContain(code);
  expectProblem(
    await atOdd.finish(begun, { code: "x".repeat(4_097) }),
    invalidBody(["code", "must be the code of the provider, of at most 4096 characters"]),
  );
});

test("X14 a bearer client keeps the flow by itself, and gets the pair in the body", async () => {
  const headers = { "auth-mode": "bearer" };
  const begun = await atOdd.begin({ headers });
  expect(begun.cookies).toEqual([]);
  const code = odd.createCode(
    odd.claims(begun.nonce, { sub: "x14", email: "x14@example.com", email_verified: true }),
  );
  const flow = String(begun.flow);
  const response = await atOdd.finish(begun, { code, flow }, { headers });
  expect(bodyOf(response)).toMatchObject({
    msg: "success",
    token: expect.any(String),
    device: expect.any(String),
  });
  expect(response.cookies).toBeUndefined();
  expectProblem(await atOdd.finish(begun, { code, flow }), invalidBody(["flow", "is for bearer clients"]));
  const { cookies } = await service.logIn();
  expectProblem(await atOdd.finish(begun, { code, flow }, { headers, cookies }), refusals.conflict);
  expectProblem(await atOdd.finish(begun, { code }, { headers }), over);
});

test("X15 a sign-in ends the session that the browser had, and knows the browser afterwards", async () => {
  const before = await service.logIn();
  const { begun, code } = await returnFromOdd();
  const response = await atOdd.finish(begun, { code }, { cookies: before.cookies });
  expect(response.statusCode).toBe(200);
  await service.expectOver([before]);
  expect(keptOf(response).map((cookie) => cookie.split("=")[0])).toEqual([
    "auth-cookie",
    "auth-cookie-device",
  ]);
});

test("X16 sign-ins are counted with logins: too many of one address are refused before the code is sent", async () => {
  const strict = service.createSandbox({
    ...{ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1" },
    IDENTITY_PROVIDERS: JSON.stringify([
      { id: "odd", clientId: "web", redirectUris: [page], ...odd.endpoints },
    ]),
    PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret: "a-client-secret-of-odd" } }),
  });
  const { finish } = createSignIns(strict, "odd");
  const [one, two] = [await returnFromOdd(), await returnFromOdd()];
  expect((await finish(one.begun, { code: one.code })).statusCode).toBe(200);
  const asked = odd.paths.length;
  expect((await finish(two.begun, { code: two.code })).statusCode).toBe(429);
  expect(odd.paths).toHaveLength(asked);
});
