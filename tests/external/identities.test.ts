import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { externalIdentity } from "../../lib/providers/evidence.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest } from "../support/event.ts";
import { createSignIns, keptOf } from "../support/external.ts";
import { gather, loseAnswer, precededBy } from "../support/faults.ts";
import { startMailbox } from "../support/mailbox.ts";
import { startOddProvider } from "../support/odd-provider.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { type Account, startService } from "../support/service.ts";

// What a user has linked: listed, linked, removed.

const service = await startService();
const { database, wire, expectRequests, expectRefusal } = service;
const addFactor = createAuthenticators(service);
const odd = await startOddProvider();
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "odd", clientId: "web", redirectUris: ["https://app.example.com/odd"], ...odd.endpoints },
  ]),
  PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret: "a-client-secret-of-odd" } }),
});
const signIns = createSignIns(sandbox, "odd");

const refused = (status: number, code: string, detail: string) => ({ status, code, detail });
const over = refused(400, "sign_in_over", "This sign-in was begun elsewhere, or too long ago. Begin again.");
const taken = refused(409, "identity_taken", "This identity opens another account. Nothing was changed.");
const tooMany = refused(
  409,
  "too_many_identities",
  "The account has ten identities. Remove one of them first.",
);
const lastOne = refused(
  409,
  "last_sign_in_method",
  "Nothing else opens the account. Set a password first (POST /auth/password/forgot), or link another identity.",
);
const noIdentity = refused(404, "not_found", "You have no such identity.");

const identityOf = (sub: string) => externalIdentity(odd.issuer, sub);
const idOf = (sub: string) => identityOf(sub).slice("external:".length);
const userOf = ({ userId }: Pick<Account, "userId">) => database.find("users", { userId });
const pathParameters = { provider: "odd" };

/** An account with a proven address, and a session of it. */
async function open() {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
  return { account, pair: await service.logIn({ account }) };
}

/** A link that was begun, come to where the page is opened; each call ends it. */
async function returned({ cookies }: Pair, sub: string) {
  const begun = await sandbox.beginLink({ pathParameters, cookies });
  const { state, nonce } = bodyOf(begun);
  const email = `${sub}@example.org`;
  const code = odd.createCode(odd.claims(nonce, { sub, email, email_verified: true }));
  const all = [...cookies, ...keptOf(begun)];
  return (request: ClientRequest = {}) =>
    sandbox.linkIdentity({ pathParameters, cookies: all, body: { code, state }, ...request });
}
const link = async (pair: Pair, sub: string) => (await returned(pair, sub))();
const list = async ({ cookies }: Pair) => bodyOf(await sandbox.listIdentities({ cookies }));
const exported = async ({ cookies }: Pair) => bodyOf(await sandbox.exportAccount({ cookies }));
const unlink = ({ cookies }: Pair, sub: string, more: ClientRequest = {}) =>
  sandbox.unlinkIdentity({ cookies, pathParameters: { identityId: idOf(sub) }, ...more });

async function signIn(sub: string) {
  const begun = await signIns.begin();
  return signIns.finish(begun, { code: odd.createCode(odd.claims(begun.nonce, { sub })) });
}

const mailbox = await startMailbox(service);
const live = "GetItem sessions";
const user = "GetItem users";
const flow = "UpdateItem attempts";

test("an identity is linked, listed, opens the account, and is removed", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  const call = await returned(pair, sub);
  const view = { identityId: idOf(sub), provider: "odd", email: `${sub}@example.org`, linkedAt: clock.now };
  const response = await expectRequests(
    [live, user, flow, "TransactWriteItems users identities", flow],
    call,
  );
  expectJson(response, 201, view);
  expect(await userOf(account)).toMatchObject({
    identityIds: new Set([identityOf(sub)]),
    lastChange: { event: "identity_linked", by: "user" },
  });
  expect(await list(pair)).toEqual({ identities: [view], hasPassword: true });
  expect(await exported(pair)).toMatchObject({ identities: [view], hasPassword: true });
  expect(pairOf(await signIn(sub)).claims.sub).toBe(account.userId);

  expectNoContent(await unlink(pair, sub));
  expect(await userOf(account)).not.toHaveProperty("identityIds");
  expect(await database.find("identities", { identity: identityOf(sub) })).toBeUndefined();
  expect(await list(pair)).toEqual({ identities: [], hasPassword: true });
  expectProblem(await unlink(pair, sub), noIdentity);
});

test("X39 a link is ended by the session that began it: not by another of the user, nor by a sign-in, nor after logout", async () => {
  const { account, pair } = await open();
  const other = await service.logIn({ account });
  const call = await returned(pair, randomUUID());
  const begun = await sandbox.beginLink({ pathParameters, cookies: pair.cookies });
  const { state } = bodyOf(begun);
  const flows = keptOf(begun);
  const body = { code: "a code", state };
  expectProblem(
    await sandbox.linkIdentity({ pathParameters, cookies: [...other.cookies, ...flows], body }),
    over,
  );
  expectProblem(await sandbox.finishExternal({ pathParameters, cookies: flows, body }), over);
  // Nor does what began as a sign-in link anything.
  const started = await signIns.begin();
  const cookies = [...pair.cookies, ...started.cookies];
  expectProblem(
    await sandbox.linkIdentity({ pathParameters, cookies, body: { code: "a code", state: started.state } }),
    over,
  );
  await sandbox.logout({ cookies: pair.cookies });
  expectProblem(await call(), refusals.invalidToken);
  expect((await userOf(account))?.identityIds).toBeUndefined();
});

test("X40 an identity that opens another account is not linked, and the code is not sent again", async () => {
  const [{ pair: first }, { account, pair }] = [await open(), await open()];
  const sub = randomUUID();
  await link(first, sub);
  const call = await returned(pair, sub);
  expectProblem(await call(), taken);
  const asked = odd.paths.length;
  expectProblem(await call(), taken);
  expect(odd.paths).toHaveLength(asked);
  expect((await userOf(account))?.identityIds).toBeUndefined();
});

test("X41 a link that comes twice, at once or by another sign-in there, is one entry; so it is where the answer was lost", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  const [one, two] = [await returned(pair, sub), await returned(pair, sub)];
  wire.break("TransactWriteItems users identities", gather(2), { times: 2 });
  for (const response of await Promise.all([one(), two()])) expect(response.statusCode).toBe(201);
  wire.mend();
  expect((await one()).body).toBe((await two()).body);
  expect((await userOf(account))?.identityIds).toEqual(new Set([identityOf(sub)]));
  const third = randomUUID();
  const call = await returned(pair, third);
  wire.break("TransactWriteItems", loseAnswer);
  expect((await call()).statusCode).toBe(201);
});

test("X42 an account has ten identities at most, however many are linked at once", async () => {
  const { account, pair } = await open();
  const ids = Array.from({ length: 9 }, (_, i) => identityOf(`${account.userId}-${i}`));
  await database.change("users", { userId: account.userId }, { identityIds: new Set(ids) });
  const calls = [await returned(pair, randomUUID()), await returned(pair, randomUUID())];
  wire.break("TransactWriteItems users identities", gather(2), { times: 2 });
  const answers = await Promise.all(calls.map((call) => call()));
  const [linked, other] = answers.toSorted((a, b) => a.statusCode - b.statusCode);
  expect(linked?.statusCode).toBe(201);
  if (other) expectProblem(other, tooMany);
  expectProblem(await sandbox.beginLink({ pathParameters, cookies: pair.cookies }), tooMany);
});

test("X43 the last thing that opens an account is not removed; of two removed at once one stays", async () => {
  const [a, b] = [randomUUID(), randomUUID()];
  const { account, pair } = await open();
  await link(pair, a);
  await link(pair, b);
  await database.change("users", { userId: account.userId }, { passwordHash: undefined });
  wire.break("TransactWriteItems users", gather(2), { times: 2 });
  const answers = await Promise.all([unlink(pair, a), unlink(pair, b)]);
  expect(answers.map(({ statusCode }) => statusCode).sort()).not.toEqual([204, 204]);
  const { identityIds } = (await userOf(account)) ?? {};
  const left = [...(identityIds as Set<string>)];
  expect(left).toHaveLength(1);
  wire.mend();
  const renewed = pairOf(await signIn(left[0] === identityOf(a) ? a : b));
  expectProblem(await unlink(renewed, left[0] === identityOf(a) ? a : b), lastOne);
});

test("X44 after a removal every other session is over, this one lives, and a sign-in with it makes nobody anybody", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  await link(pair, sub);
  const opened = pairOf(await signIn(sub));
  const other = await service.logIn({ account });
  expectNoContent(await unlink(pair, sub));
  await service.expectOver([opened, other]);
  expect((await sandbox.listIdentities({ cookies: pair.cookies })).statusCode).toBe(200);
  const begun = await signIns.begin();
  const claims = odd.claims(begun.nonce, { sub, email: account.email, email_verified: true });
  expect((await signIns.finish(begun, { code: odd.createCode(claims) })).statusCode).toBe(409);
});

test.each<
  [string, (pair: Pair, call: (request?: ClientRequest) => Promise<unknown>) => Promise<unknown>, object]
>([
  [
    "a login of 301 s ago",
    (_, call) => {
      clock.advance(301);
      return call();
    },
    refusals.notFresh,
  ],
  [
    "an access token alone",
    (pair, call) => call({ cookies: [], headers: { authorization: `Bearer ${pair.token}` }, body: {} }),
    refusals.invalidToken,
  ],
])("X45 neither links nor removes: %s", async (_, act, problem) => {
  const { pair } = await open();
  const sub = randomUUID();
  await link(pair, sub);
  const calls: ((request?: ClientRequest) => Promise<never>)[] = [
    (request) => unlink(pair, sub, request) as never,
    (request) =>
      sandbox.linkIdentity({
        pathParameters,
        cookies: pair.cookies,
        body: { code: "c", state: "s".repeat(43) },
        ...request,
      }) as never,
  ];
  for (const call of calls) expectProblem((await act(pair, call)) as never, problem as typeof over);
  if (problem === refusals.notFresh)
    expectProblem(await sandbox.beginLink({ pathParameters, cookies: pair.cookies }), refusals.notFresh);
});

test("X45 a session with a Session-Key, and an account with a second factor, are asked for them", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  await link(pair, sub);
  const sessionKey = createRefreshToken();
  const bound = await service.logIn({ account, sessionKey });
  expectProblem(await unlink(bound, sub), refusals.sessionKeyRequired);
  await addFactor(account);
  expectProblem(await unlink(bound, sub, { headers: { "session-key": sessionKey } }), refusals.oneFactor);
  expectProblem(await sandbox.beginLink({ pathParameters, cookies: bound.cookies }), refusals.oneFactor);
});

test("X45 where mail is on, an identity is for a proven address alone", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  const detail =
    "The e-mail address of the account is not proven. Prove it first: POST /auth/email with that address.";
  expectProblem(
    await sandbox.beginLink({ pathParameters, cookies: pair.cookies }),
    refused(409, "email_unproven", detail),
  );
});

test("X46 sessions that were all ended while an identity is linked: nothing is linked", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  const call = await returned(pair, sub);
  const raise = () => database.change("users", { userId: account.userId }, { sessionEpoch: 1 });
  wire.break("TransactWriteItems users identities", precededBy(raise));
  expectProblem(await call(), refusals.invalidToken);
  expect((await userOf(account))?.identityIds).toBeUndefined();
  expect(await database.find("identities", { identity: identityOf(sub) })).toBeUndefined();
});

test.each<[string, boolean]>([
  ["is changed", false],
  ["has just been changed", true],
])(
  "X64 an identity is linked while the address %s: it is linked or refused, and never linked and lost",
  async (_, isLate) => {
    const { account, pair } = await open();
    const sub = randomUUID();
    const call = await returned(pair, sub);
    const newEmail = `${randomUUID().slice(0, 13)}@example.org`;
    const { cookies } = pair;
    const { password } = account;
    const { challenge } = bodyOf(await sandbox.askEmailChange({ cookies, body: { newEmail, password } }));
    const code = await mailbox.receiveCode(newEmail);
    const move = () => sandbox.confirmEmailChange({ cookies, body: { challenge, code } });
    const [transaction, first, second] = isLate
      ? ["TransactWriteItems users identities", move, call]
      : ["TransactWriteItems identities users", call, move];
    wire.break(
      transaction,
      precededBy(async () => expect((await first()).statusCode).toBeLessThan(300)),
    );
    const answer = await second();
    const user = await userOf(account);
    expect(user?.email).toBe(newEmail);
    if (isLate) {
      expectProblem(answer, refusals.invalidToken);
      expect(user?.identityIds).toBeUndefined();
      expect(await database.find("identities", { identity: identityOf(sub) })).toBeUndefined();
    } else {
      expect(answer.statusCode).toBe(200);
      expect(pairOf(await signIn(sub)).claims).toMatchObject({ sub: account.userId, email: newEmail });
    }
  },
);

test("X47 an account is deleted with its entries: the same identity then makes another one", async () => {
  const { account, pair } = await open();
  const sub = randomUUID();
  await link(pair, sub);
  const { password } = account;
  expectNoContent(await sandbox.deleteAccount({ cookies: pair.cookies, body: { password } }));
  expect(await database.find("identities", { identity: identityOf(sub) })).toBeUndefined();
  const begun = await signIns.begin();
  const claims = odd.claims(begun.nonce, { sub, email: account.email, email_verified: true });
  const response = await signIns.finish(begun, { code: odd.createCode(claims) });
  expect(pairOf(response).claims.sub).not.toBe(account.userId);
});

test("X48 an entry that counts no more, the user's own or of one who is gone, is written over by a link", async () => {
  const { account, pair } = await open();
  const [own, gone] = [randomUUID(), randomUUID()];
  const createdAt = clock.now;
  await database.put("identities", { identity: identityOf(own), userId: account.userId, createdAt });
  await database.put("identities", { identity: identityOf(gone), userId: randomUUID(), createdAt });
  expect((await link(pair, own)).statusCode).toBe(201);
  expect((await link(pair, gone)).statusCode).toBe(201);
  expect(pairOf(await signIn(gone)).claims.sub).toBe(account.userId);
});

test("a bearer client sends the flow and its refresh token in the body", async () => {
  const { account, pair } = await open();
  const headers = { authorization: `Bearer ${pair.token}`, "auth-mode": "bearer" };
  const begun = bodyOf(await sandbox.beginLink({ pathParameters, headers }));
  const sub = randomUUID();
  const code = odd.createCode(odd.claims(begun.nonce, { sub }));
  const { state, flow } = begun;
  const { refreshToken } = pair;
  const response = await sandbox.linkIdentity({
    pathParameters,
    headers,
    body: { code, state, flow, refreshToken },
  });
  expect([response.statusCode, response.cookies]).toEqual([201, undefined]);
  expect((await userOf(account))?.identityIds).toEqual(new Set([identityOf(sub)]));
});

test("X11 a provider that is away changes nothing, and the same return is good a moment later", async () => {
  const { pair } = await open();
  const call = await returned(pair, randomUUID());
  odd.answer("/token", (request) => request.socket.destroy());
  expect(bodyOf(await call()).code).toBe("provider_unavailable");
  odd.answer("/token", undefined);
  expect((await call()).statusCode).toBe(201);
});

test("an identity id that is none: 404, without a write", async () => {
  const { pair } = await open();
  const pathParameters = { identityId: "email:ada@example.com" };
  await expectRefusal(() => sandbox.unlinkIdentity({ cookies: pair.cookies, pathParameters }), noIdentity, [
    live,
  ]);
});
