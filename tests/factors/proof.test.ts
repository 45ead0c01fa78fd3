import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { gather, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
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
  const account = await service.register();
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
