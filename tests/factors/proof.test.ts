import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { gather, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { refuse, startSecretsManager } from "../support/secrets-manager.ts";
import { type Account, proof, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const addFactor = createAuthenticators(service);
const secrets = await startSecretsManager();
beforeEach(() => secrets.mend());
afterAll(() => secrets.stop());
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secrets.endpoint;

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

describe("factor keys", () => {
  const factorKeys = JSON.parse(service.environment.FACTOR_KEYS ?? "");
  function createSandbox() {
    const secretId = `${randomUUID()}-factor-keys`;
    secrets.put(secretId, JSON.stringify(factorKeys));
    return service.createSandbox({ FACTOR_KEYS: "", FACTOR_KEYS_SECRET: secretId });
  }

  test("O22 that cannot be read: a 503 to whoever comes with a code, and no session; nobody else notices", async () => {
    const { account, codeAt } = await createCaller();
    const other = createSandbox();
    const { email, password, userId } = account;
    const logIn = (otp?: string) => other.login({ body: { email, password, ...(otp && { otp }) } });
    secrets.break("GetSecretValue factor-keys", refuse("AccessDeniedException"), { times: 9 });
    const sessions = await database.sessionsOf(userId);
    expectProblem(await logIn(codeAt()), refusals.unavailable);
    expect(await database.sessionsOf(userId)).toEqual(sessions);
    expectProblem(await logIn(), refusals.secondFactorRequired);
    await service.logIn({ as: other });
    secrets.mend();
    expect((await logIn(codeAt())).statusCode).toBe(200);
  });

  test("are read when a code comes, and not before", async () => {
    const { account, codeAt } = await createCaller();
    const other = createSandbox();
    const { email, password } = account;
    await service.logIn({ as: other });
    await other.login({ body: { email, password } });
    expect(secrets.names).toEqual([]);
    await other.login({ body: { email, password, otp: codeAt() } });
    expect(secrets.names).toEqual(["GetSecretValue factor-keys"]);
  });

  test("a factor outlives its key's replacement, which those of later have", async () => {
    const { account, codeAt } = await createCaller();
    const [first] = factorKeys.keys;
    const next = {
      ...first,
      kid: "next",
      k: Buffer.alloc(32, 7).toString("base64url"),
      activeFrom: clock.now + 1,
    };
    const { email, password } = account;
    const FACTOR_KEYS = JSON.stringify({ keys: [next, first] });
    clock.advance(60);
    const other = service.createSandbox({ FACTOR_KEYS });
    expect((await other.login({ body: { email, password, otp: codeAt() } })).statusCode).toBe(200);
    const later = await createAuthenticators({ database, environment: { FACTOR_KEYS } })(account);
    expectProblem(
      await sandbox.login({ body: { email, password, otp: later.codeAt(1) } }),
      refusals.invalidOtp,
    );
    expect((await other.login({ body: { email, password, otp: later.codeAt(1) } })).statusCode).toBe(200);
  });
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
