import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectProblem, invalidBody, refusals, tooManyAttempts } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { gather, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createPasskey } from "../support/passkey.ts";
import { type Account, proof, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const addFactor = createAuthenticators(service);

const newPassword = "another private sentence";
keepSecrets(newPassword);

/** What a signed-in user does with the password, and with a code where the account has a second factor. */
const acts = {
  changePassword: { newPassword, as: "currentPassword" },
  askEmailChange: { newEmail: "new@example.com", as: "password" },
  deleteAccount: { as: "password" },
} as const;
type Act = keyof typeof acts;
const routes = Object.keys(acts) as Act[];

async function createCaller() {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  return { account, pair, ...(await addFactor(account)) };
}

function call(name: Act, { password }: Account, { cookies }: Pair, otp?: string, headers = {}) {
  const { as, ...rest } = acts[name];
  return sandbox[name]({ cookies, headers, body: { ...rest, [as]: password, ...(otp && { otp }) } });
}

/** What comes before the password: the source is counted where a mail is asked for. */
const before = (name: Act) =>
  name === "askEmailChange"
    ? ["GetItem sessions", "GetItem users", "UpdateItem attempts"]
    : ["GetItem sessions", ...proof];

describe.each(routes)("O25 %s", (name) => {
  test("asks for the code after the password, and does nothing without it", async () => {
    const { account, pair } = await createCaller();
    const refused = await expectRequests(before(name), () => call(name, account, pair));
    expectProblem(refused, refusals.secondFactorRequired);
    expectProblem(await call(name, account, pair, "000000"), refusals.invalidOtp);
    const wrong = { ...account, password: "not the right one" };
    expectProblem(await call(name, wrong, pair), refusals.wrongPassword);
    expectProblem(await call(name, account, pair, "aaaa-aaaa-aaaa-aaaa"), refusals.invalidOtp);
    await call(name, account, pair);
    expectProblem(await call(name, account, pair), tooManyAttempts(30));
    expect(wire.appliedWrites.filter((write) => write.endsWith("users"))).toEqual([]);
  });

  test("uses the code up: of two requests at once one goes on, and nobody logs in with it", async () => {
    const { account, pair, codeAt } = await createCaller();
    wire.break("UpdateItem users", gather(2), { times: 2 });
    const code = codeAt();
    const both = await Promise.all([call(name, account, pair, code), call(name, account, pair, code)]);
    const codes = both.map(({ statusCode, body }) =>
      statusCode < 300 ? "done" : JSON.parse(body ?? "").code,
    );
    expect(codes.sort()).toEqual(["done", "invalid_otp"]);
    if (name !== "askEmailChange") return;
    const { email, password } = account;
    expectProblem(await sandbox.login({ body: { email, password, otp: code } }), refusals.usedOtp);
  });

  test("a code that has opened a session proves nothing else, not even with its Idempotency-Key", async () => {
    const { account, pair, codeAt } = await createCaller();
    const { email, password } = account;
    const headers = { "idempotency-key": randomUUID() };
    const otp = codeAt();
    for (const _ of ["first", "repeat"])
      expect((await sandbox.login({ body: { email, password, otp }, headers })).statusCode).toBe(200);
    expectProblem(await call(name, account, pair, otp, headers), refusals.usedOtp);
  });

  test("a caller whose sessions are ended between look and claim changes nothing", async () => {
    const { account, pair, codeAt } = await createCaller();
    const { userId } = account;
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId }, { sessionEpoch: 1 })),
    );
    expectProblem(await call(name, account, pair, codeAt()), refusals.unavailable);
    const { totp, passwordChangedAt, deletingAt } = (await database.find("users", { userId })) ?? {};
    expect([totp.step, passwordChangedAt, deletingAt]).toEqual([0, undefined, undefined]);
  });
});

const userOf = ({ userId }: Pick<Account, "userId">) => database.find("users", { userId });
const done = { changePassword: 200, askEmailChange: 202, deleteAccount: 204 } as const;

/** The same request without a password. */
function callWithout(name: Act, request: object, more: object = {}, as = sandbox) {
  const { as: _, ...rest } = acts[name];
  return as[name]({ ...request, body: { ...rest, ...more } });
}

/** A session of an account without a password, and that password. */
async function openWithout(headers = {}) {
  const { userId, ...body } = await service.addAccount();
  const pair = pairOf(await sandbox.login({ body, headers }));
  const { passwordHash } = (await userOf({ userId })) ?? {};
  await database.change("users", { userId }, { passwordHash: undefined });
  return { account: { ...body, userId }, passwordHash, pair, cookies: pair.cookies };
}

describe.each(routes)("O37 %s of an account without a password", (name) => {
  test("takes a login of the last 300 s in its place, of a bearer client with the whole pair", async () => {
    const { pair, cookies } = await openWithout();
    const headers = { authorization: `Bearer ${pair.token}` };
    for (const refreshToken of [undefined, createRefreshToken()])
      expectProblem(await callWithout(name, { headers }, { refreshToken }), refusals.invalidToken);
    clock.advance(1);
    const { pair: younger } = await openWithout();
    clock.advance(300);
    expectProblem(await callWithout(name, { cookies }), refusals.notFresh);
    const { token, refreshToken } = younger;
    const own = { headers: { authorization: `Bearer ${token}` } };
    expect((await callWithout(name, own, { refreshToken })).statusCode).toBe(done[name]);
  });

  test("takes no password, needs the Session-Key, and two factors where there is a second one", async () => {
    const headers = { "session-key": createRefreshToken() };
    const { account, pair, cookies } = await openWithout(headers);
    const { as } = acts[name];
    const left = invalidBody([as, "must be left out: the account has none"]);
    expectProblem(await callWithout(name, { cookies, headers }, { [as]: account.password }), left);
    expectProblem(await callWithout(name, { cookies }), refusals.sessionKeyRequired);
    await addFactor(account);
    expectProblem(await callWithout(name, { cookies, headers }), refusals.oneFactor);
    expect(await userOf(account)).toMatchObject({ sessionEpoch: 0 });
    const { userId, sessionId } = pair.key;
    await database.change("sessions", { userId, sessionId }, { amr: ["otp", "mfa"] });
    expect((await callWithout(name, { cookies, headers })).statusCode).toBe(done[name]);
  });

  test("whoever has a password is asked for it, however young the login is", async () => {
    const { pair } = await createCaller();
    const missing = invalidBody([acts[name].as, "is missing"]);
    expectProblem(await callWithout(name, { cookies: pair.cookies }), missing);
  });
});

const { unavailable, oneFactor } = refusals;
describe.each([
  ["changePassword", "UpdateItem users", unavailable, unavailable],
  // It looks again by itself.
  [
    ...["deleteAccount", "TransactWriteItems users sessions"],
    ...[invalidBody(["password", "is missing"]), oneFactor],
  ],
] as const)("O38 %s without a password", (name, write, toPassword, toFactor) => {
  test.each([
    ["a password", toPassword],
    ["a second factor", toFactor],
  ])("does nothing where %s comes first", async (what, refusal) => {
    const { account, passwordHash, cookies } = await openWithout();
    const { userId } = account;
    const change = () =>
      what === "a password" ? database.change("users", { userId }, { passwordHash }) : addFactor(account);
    wire.break(write, precededBy(change));
    expectProblem(await callWithout(name, { cookies }), refusal);
    const { sessionEpoch, passwordChangedAt, deletingAt } = (await userOf(account)) ?? {};
    expect([sessionEpoch, passwordChangedAt, deletingAt]).toEqual([0, undefined, undefined]);
  });
});

test("a first password proves nobody: the new session has the login of the one before", async () => {
  const { account, pair, cookies } = await openWithout();
  clock.advance(60);
  const opened = pairOf(await callWithout("changePassword", { cookies }));
  expect([opened.claims.auth_time, opened.claims.acr]).toEqual([pair.claims.auth_time, undefined]);
  await service.expectOver([pair]);
  await service.logIn({ account: { ...account, password: newPassword } });
});

test("a deletion without a password that broke off goes on when the login is no longer recent", async () => {
  const { account, cookies } = await openWithout();
  wire.break("TransactWriteItems users identities", async () => ({ status: 500, body: "{}" }), { times: 3 });
  clock.advance(299);
  expectProblem(await callWithout("deleteAccount", { cookies }), refusals.unavailable);
  clock.advance(60);
  expect((await sandbox.deleteAccount({ cookies })).statusCode).toBe(204);
  expect(await userOf(account)).toBeUndefined();
});

/** A caller with a second factor and a passkey, and what answers a new challenge with it. */
async function openWithPasskey() {
  const caller = await createCaller();
  const { userId } = caller.account;
  const rpId = String(service.environment.PASSKEY_RP_ID);
  const passkey = createPasskey({ userId, rpId, origin: `https://${rpId}` });
  await database.change("users", { userId }, passkey.stored(clock.now));
  const answer = async (quirks = {}) =>
    passkey.get(bodyOf(await sandbox.beginPasskeyLogin()).challenge, quirks);
  return { ...caller, cookies: caller.pair.cookies, answer };
}

describe.each(routes)("O39 %s with a passkey in place of password and code", (name) => {
  const refused = (code: string, detail: string) => {
    return { status: 401, code, detail, headers: { "www-authenticate": "Bearer" } };
  };
  const invalid = refused(
    "invalid_passkey",
    "The passkey was refused. Ask for a new challenge and try again.",
  );
  const unknown = refused(
    "unknown_passkey",
    "This passkey was removed from the account. Log in in another way.",
  );

  test("is proven by an answer that counts once, however old the login", async () => {
    const { account, cookies, answer } = await openWithPasskey();
    clock.advance(800);
    const passkey = await answer();
    const headers = { "idempotency-key": randomUUID() };
    await sandbox.login({ body: { passkey }, headers });
    expectProblem(await callWithout(name, { cookies, headers }, { passkey }), invalid);
    clock.advance(1);
    const response = await callWithout(name, { cookies }, { passkey: await answer() });
    expect(response.statusCode).toBe(done[name]);
    if (name !== "changePassword") return;
    const { claims } = pairOf(response);
    expect(claims).toMatchObject({ amr: ["pop", "user", "mfa"], acr: "aal2", auth_time: clock.now });
    expect((await userOf(account))?.passwordChangedAt).toBe(clock.now);
  });

  test("is nobody's who has another's passkey, or none that is still there", async () => {
    const [own, other] = [await openWithPasskey(), await openWithPasskey()];
    const { cookies } = own;
    const use = async (passkey: object, more = {}, as = sandbox) =>
      callWithout(name, { cookies }, { passkey, ...more }, as);
    expectProblem(await use(await other.answer()), invalid);
    const { userId } = own.account;
    expectProblem(await use(await other.answer({ userHandle: userId })), unknown);
    const beside = invalidBody(["passkey", "takes the place of password and otp"]);
    expectProblem(await use(await own.answer(), { [acts[name].as]: own.account.password }), beside);
    const off = service.createSandbox({ PASSKEY_RP_ID: "" });
    expectProblem(await use(await own.answer(), {}, off), invalidBody(["passkey", "is not known"]));
    expect(await userOf(own.account)).toMatchObject({ sessionEpoch: 0 });
  });

  test("a caller whose sessions are ended between look and claim changes nothing", async () => {
    const { account, cookies, answer } = await openWithPasskey();
    const { userId } = account;
    const passkey = await answer();
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId }, { sessionEpoch: 1 })),
    );
    expectProblem(await callWithout(name, { cookies }, { passkey }), refusals.unavailable);
    const { passwordChangedAt, deletingAt } = (await userOf(account)) ?? {};
    expect([passwordChangedAt, deletingAt]).toEqual([undefined, undefined]);
  });
});

test("a deletion by passkey that broke off goes on with the same answer, and is told when it is done; not without its key", async () => {
  const { cookies, answer } = await openWithPasskey();
  const request = { cookies, headers: { "idempotency-key": randomUUID() } };
  const passkey = await answer();
  wire.break("TransactWriteItems users identities", async () => ({ status: 500, body: "{}" }), { times: 3 });
  expectProblem(await callWithout("deleteAccount", request, { passkey }), refusals.unavailable);
  expect(bodyOf(await callWithout("deleteAccount", { cookies }, { passkey })).code).toBe("invalid_passkey");
  expect((await callWithout("deleteAccount", request, { passkey })).statusCode).toBe(204);
  expect(await service.feed("events")).toBe(true);
});

test("a password that is changed with a code opens a session of two factors", async () => {
  const { account, pair, codeAt } = await createCaller();
  const { claims } = pairOf(await call("changePassword", account, pair, codeAt()));
  expect(claims).toMatchObject({ amr: ["pwd", "otp", "mfa"], acr: "aal2" });
});

test("a deletion that broke off goes on with the same code, and is told when it is done", async () => {
  const { account, pair, codeAt } = await createCaller();
  const headers = { "idempotency-key": randomUUID() };
  const otp = codeAt();
  wire.break("TransactWriteItems users identities", async () => ({ status: 500, body: "{}" }), { times: 3 });
  expectProblem(await call("deleteAccount", account, pair, otp, headers), refusals.unavailable);
  expect((await call("deleteAccount", account, pair, otp, headers)).statusCode).toBe(204);
  expect(await service.feed("events")).toBe(true);
  const events = (await database.scan("audit")).filter(({ userId }) => userId === account.userId);
  expect(events.map(({ event }) => event).sort()).toEqual(["user_created", "user_deleted", "user_deleting"]);
});

test("O26 no code is in a line of the log, and what is stored holds none and no secret", async () => {
  const { account, codeAt, recoveryCodes } = await createCaller();
  const { email, password, userId } = account;
  const codes = [codeAt(), codeAt(1), recoveryCodes[0] ?? ""];
  for (const otp of codes) await sandbox.login({ body: { email, password, otp } });
  await sandbox.login({ body: { email, password, otp: codes[0] } });
  const written = JSON.stringify(log.entries());
  const { lastChange: _, ...stored } = (await database.find("users", { userId })) ?? {};
  const known = [...codes, ...recoveryCodes];
  for (const code of known)
    expect([written.includes(`"${code}"`), JSON.stringify(stored).includes(code)]).toEqual([false, false]);
});
