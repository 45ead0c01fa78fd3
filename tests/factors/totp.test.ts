import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { HOTP, Secret, URI } from "otpauth";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { deliverTwice, gather, loseAnswer, precededBy } from "../support/faults.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { type Account, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const addFactor = createAuthenticators(service);
const read: Step[] = ["GetItem sessions", "GetItem users"];
const written: Step[] = [...read, "UpdateItem users"];
const write = "UpdateItem users";
const wrongCode = {
  ...refusals.invalidOtp,
  detail: "This code is wrong. Use the one that your app shows now.",
};

async function register(): Promise<Account> {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: 1 });
  return account;
}

async function createCaller() {
  const account = await register();
  return { account, pair: await service.logIn({ account }) };
}

const findUser = async ({ userId }: Account) => (await database.find("users", { userId })) ?? {};
const start = async ({ cookies }: Pair) => bodyOf(await sandbox.startTotp({ cookies }));
const confirm = ({ cookies }: Pair, body: object) => sandbox.confirmTotp({ cookies, body });
const logIn = ({ email, password }: Account, otp?: string) =>
  sandbox.login({ body: { email, password, ...(otp && { otp }) } });

/** An account whose app was set up through the door, and a session that was opened with a code of it. */
async function createOwner() {
  const { account, pair } = await createCaller();
  const { enrolment, secret } = await start(pair);
  const { recoveryCodes } = bodyOf(await confirm(pair, { enrolment, otp: codeOf(secret) }));
  clock.advance(30);
  return { account, pair: pairOf(await logIn(account, codeOf(secret))), first: pair, secret, recoveryCodes };
}

describe("setting an app up", () => {
  test("O14 begins with nothing in the table; what an app reads is the secret, the service and the address", async () => {
    const { account, pair } = await createCaller();
    const before = await findUser(account);
    const { enrolment, secret, uri } = bodyOf(
      await expectRequests(read, () => sandbox.startTotp({ cookies: pair.cookies })),
    );
    expect(await findUser(account)).toEqual(before);
    expect(enrolment).toMatch(new RegExp(`^${clock.now}\\.[\\w-]{22}$`));
    const { host } = new URL(service.environment.ISSUER ?? "");
    expect(URI.parse(uri)).toMatchObject({
      issuer: host,
      label: account.email,
      secret: Secret.fromBase32(secret),
    });
    expect((await logIn(account)).statusCode).toBe(200);
    const named = service.createSandbox({ APP_NAME: "Our App" });
    const { uri: own } = bodyOf(await named.startTotp({ cookies: pair.cookies }));
    expect(own).toContain("otpauth://totp/Our%20App:");
  });

  test("O18 O21 ends with the first code: ten recovery codes, no session over, and that code opens nothing", async () => {
    const { account, pair } = await createCaller();
    const { enrolment, secret } = await start(pair);
    const otp = codeOf(secret);
    const response = await expectRequests(written, () => confirm(pair, { enrolment, otp }));
    const { recoveryCodes } = bodyOf(response);
    expect(new Set(recoveryCodes).size).toBe(10);
    const step = Math.floor(clock.now / 30);
    expect(await findUser(account)).toMatchObject({
      totp: { enrolment, step, confirmedAt: clock.now },
      recovery: { seriesId: enrolment, used: {}, createdAt: clock.now },
      lastChange: { event: "totp_added", by: "user" },
    });
    expectProblem(await logIn(account), refusals.secondFactorRequired);
    expectProblem(await logIn(account, otp), refusals.usedOtp);
    expect((await logIn(account, recoveryCodes[9])).statusCode).toBe(200);
    // That session is as it was: of one factor.
    expectProblem(
      await sandbox.disableTotp({ cookies: (await service.rotate(pair)).cookies }),
      refusals.oneFactor,
    );
  });

  test("O15 another app replaces it only with its own first code", async () => {
    const { account, pair, secret } = await createOwner();
    const next = await start(pair);
    clock.advance(30);
    expect((await logIn(account, codeOf(secret))).statusCode).toBe(200);
    await confirm(pair, { enrolment: next.enrolment, otp: codeOf(next.secret) });
    clock.advance(30);
    expectProblem(await logIn(account, codeOf(secret)), refusals.invalidOtp);
    expect((await logIn(account, codeOf(next.secret))).statusCode).toBe(200);
  });

  test("O16 takes no enrolment that is too old, from the future, another's or changed", async () => {
    const { account, pair } = await createCaller();
    const { enrolment, secret } = await start(pair);
    const [seconds, random] = enrolment.split(".");
    const refusalOf = async (body: object) => bodyOf(await confirm(pair, body));
    const otp = codeOf(secret);
    const changed = `${seconds}.${random.startsWith("A") ? "B" : "A"}${random.slice(1)}`;
    for (const [other, code] of [
      [changed, "invalid_otp"],
      [`${clock.now + 6}.${random}`, "invalid_body"],
      [`${clock.now - 600}.${random}`, "invalid_body"],
      ["none", "invalid_body"],
    ])
      expect([other, (await refusalOf({ enrolment: other, otp })).code]).toEqual([other, code]);
    const stranger = await createCaller();
    expectProblem(await confirm(stranger.pair, { enrolment, otp }), wrongCode);
    expectProblem(await confirm(pair, { enrolment, otp: "000000" }), wrongCode);
    expect((await findUser(account)).totp).toBeUndefined();
  });

  test("a recovery code is no first code", async () => {
    const { pair } = await createCaller();
    const { enrolment } = await start(pair);
    const { errors } = bodyOf(await confirm(pair, { enrolment, otp: "aaaa-aaaa-aaaa-aaaa" }));
    expect(errors).toEqual([{ pointer: "#/otp", detail: "must be the six digits that the app shows" }]);
  });

  test("O17 is answered again with the very same codes, also when the app shows another one; it was told once", async () => {
    const { account, pair } = await createCaller();
    const { enrolment, secret } = await start(pair);
    const body = { enrolment, otp: codeOf(secret) };
    const { recoveryCodes } = bodyOf(await confirm(pair, body));
    const { lastChange, ...user } = await findUser(account);
    for (const seconds of [40, 60]) {
      clock.advance(seconds);
      expect(bodyOf(await expectRequests(read, () => confirm(pair, body))).recoveryCodes).toEqual(
        recoveryCodes,
      );
    }
    expect(bodyOf(await confirm(pair, { enrolment, otp: codeOf(secret) })).recoveryCodes).toEqual(
      recoveryCodes,
    );
    expectProblem(await confirm(pair, { enrolment, otp: "000000" }), wrongCode);
    expect(await findUser(account)).toEqual({ lastChange, ...user });
  });

  test.each([
    ["is not answered", loseAnswer],
    ["arrives twice", deliverTwice],
  ])("a write that %s is one", async (_, fault) => {
    const { pair } = await createCaller();
    const { enrolment, secret } = await start(pair);
    wire.break(write, fault);
    expect((await confirm(pair, { enrolment, otp: codeOf(secret) })).statusCode).toBe(200);
  });

  test("O19 of two apps that are set up at once one wins, whole; the other caller is asked for its code", async () => {
    const { account, pair } = await createCaller();
    const other = await service.logIn({ account });
    const [one, two] = [await start(pair), await start(other)];
    wire.break(write, gather(2), { times: 2 });
    const responses = await Promise.all([
      confirm(pair, { enrolment: one.enrolment, otp: codeOf(one.secret) }),
      confirm(other, { enrolment: two.enrolment, otp: codeOf(two.secret) }),
    ]);
    const [lost] = responses.filter(({ statusCode }) => statusCode !== 200);
    if (!lost) throw new Error("both were set up");
    expectProblem(lost, refusals.oneFactor);
    const { totp, recovery } = await findUser(account);
    const winner = responses[0] === lost ? two : one;
    expect([totp.enrolment, recovery.seriesId]).toEqual([winner.enrolment, winner.enrolment]);
  });

  test("is for a proven address where mail is on, and for any where it is not", async () => {
    const account = await service.addAccount();
    const { cookies } = await service.logIn({ account });
    const refused = await sandbox.startTotp({ cookies });
    expect([refused.statusCode, bodyOf(refused).code]).toEqual([409, "email_unproven"]);
    const off = service.createSandbox({ MAIL_FROM: "", MAILS_TABLE: "" });
    const { enrolment, secret } = bodyOf(await off.startTotp({ cookies }));
    const body = { enrolment, otp: codeOf(secret) };
    expect(bodyOf(await sandbox.confirmTotp({ cookies, body })).code).toBe("email_unproven");
    expect((await off.confirmTotp({ cookies, body })).statusCode).toBe(200);
  });
});

describe("switching it off, and new recovery codes", () => {
  test("the factor goes with its codes, no session ends, and a second time there is none", async () => {
    const { account, pair, first } = await createOwner();
    expectNoContent(await expectRequests(written, () => sandbox.disableTotp({ cookies: pair.cookies })));
    const { totp, recovery, lastChange } = await findUser(account);
    expect([totp, recovery, lastChange.event]).toEqual([undefined, undefined, "totp_removed"]);
    expect(bodyOf(await sandbox.disableTotp({ cookies: pair.cookies })).code).toBe("totp_not_enabled");
    expect((await logIn(account)).statusCode).toBe(200);
    await service.rotate(first);
  });

  test("O29 new codes take the place of the old ones", async () => {
    const { account, pair, recoveryCodes } = await createOwner();
    const { cookies } = pair;
    const made = bodyOf(await expectRequests(written, () => sandbox.renewRecoveryCodes({ cookies })));
    expect(made.recoveryCodes).toHaveLength(10);
    expectProblem(await logIn(account, recoveryCodes[0]), refusals.invalidOtp);
    expect((await logIn(account, made.recoveryCodes[0])).statusCode).toBe(200);
    expect((await findUser(account)).lastChange.event).toBe("recovery_code_used");
  });

  test("O30 asked for twice at once, one series is made, and both are given it", async () => {
    const { account, pair } = await createOwner();
    const { cookies } = pair;
    wire.break(write, gather(2), { times: 2 });
    const both = await Promise.all([
      sandbox.renewRecoveryCodes({ cookies }),
      sandbox.renewRecoveryCodes({ cookies }),
    ]);
    const [one, two] = both.map((response) => bodyOf(response).recoveryCodes);
    expect(one).toEqual(two);
    expect((await logIn(account, one[0])).statusCode).toBe(200);
  });

  test("the first codes do not come back when the first confirmation is repeated", async () => {
    const { account, first, secret } = await createOwner();
    const { totp } = await findUser(account);
    await database.change(
      "users",
      { userId: account.userId },
      {
        recovery: { seriesId: `${clock.now}.${"A".repeat(22)}`, used: {}, createdAt: clock.now },
      },
    );
    const body = { enrolment: totp.enrolment, otp: codeOf(secret) };
    expectProblem(await confirm(first, body), wrongCode);
  });
});

/** The four routes, each with a body that it takes. */
const routes = {
  startTotp: () => ({}),
  confirmTotp: () => ({ enrolment: `${clock.now}.${"A".repeat(22)}`, otp: "000000" }),
  disableTotp: () => ({}),
  renewRecoveryCodes: () => ({}),
};
const names = Object.keys(routes) as (keyof typeof routes)[];

describe.each(names)("%s", (name) => {
  const call = ({ cookies }: Pick<Pair, "cookies">, more: object = {}) =>
    sandbox[name]({ cookies, body: routes[name](), ...more });

  test("O20 refuses a login of 301 s ago, whatever was refreshed since; and one of one factor, where there are two", async () => {
    const { account, pair } = await createCaller();
    await addFactor(account);
    expectProblem(await expectRequests(read, () => call(pair)), refusals.oneFactor);
    clock.advance(301);
    const old = await service.rotate(pair);
    expectProblem(await expectRequests([], () => call(old)), refusals.notFresh);
  });

  test("a stolen access token alone, or with another refresh token, can do nothing", async () => {
    const { pair, account } = await createOwner();
    const { token } = pair;
    const bearer = { authorization: `Bearer ${token}` };
    const body = routes[name]();
    const before = await findUser(account);
    for (const more of [{}, { refreshToken: createRefreshToken() }])
      expectProblem(
        await sandbox[name]({ headers: bearer, body: { ...body, ...more } }),
        refusals.invalidToken,
      );
    const renewed = await service.rotate(pair);
    expectProblem(await call(pair), refusals.invalidToken);
    expect(await findUser(account)).toEqual(before);
    const response = await sandbox[name]({
      headers: { authorization: `Bearer ${renewed.token}` },
      body: { ...body, refreshToken: renewed.refreshToken },
    });
    expect(name === "confirmTotp" || response.statusCode < 300).toBe(true);
  });

  test("a copied cookie without the Session-Key of its session can do nothing", async () => {
    const { account } = await createCaller();
    const pair = await service.logIn({ account, sessionKey: createRefreshToken() });
    expectProblem(await expectRequests(["GetItem sessions"], () => call(pair)), refusals.sessionKeyRequired);
  });

  test("a session that is over in truth changes nothing", async () => {
    const { account, pair } = await createOwner();
    const { userId } = account;
    const raise = () => database.change("users", { userId }, { sessionEpoch: 1 });
    await raise();
    expectProblem(await call(pair), refusals.invalidToken);
  });
});

test.each(["confirmTotp", "disableTotp", "renewRecoveryCodes"] as const)(
  "%s changes nothing where all sessions are ended before its write",
  async (name) => {
    const { account, pair } = await createOwner();
    const { enrolment, secret } = await start(pair);
    const before = await findUser(account);
    const { userId } = account;
    wire.break(
      write,
      precededBy(() => database.change("users", { userId }, { sessionEpoch: 1 })),
    );
    const body = name === "confirmTotp" ? { enrolment, otp: codeOf(secret) } : {};
    expectProblem(await sandbox[name]({ cookies: pair.cookies, body }), refusals.invalidToken);
    expect(await findUser(account)).toEqual({ ...before, sessionEpoch: 1 });
  },
);

test("the export says when it was set up and how many codes are left, and no more", async () => {
  const { account, pair, recoveryCodes } = await createOwner();
  const { totp } = await findUser(account);
  await logIn(account, recoveryCodes[0]);
  const exported = bodyOf(await sandbox.exportAccount({ cookies: pair.cookies }));
  expect(exported).toMatchObject({ totp: { confirmedAt: totp.confirmedAt }, recoveryCodesLeft: 9 });
  expect(JSON.stringify(exported)).not.toContain(totp.enrolment);
});

test("a code is good for whoever typed it a step later than it was shown", async () => {
  const { account, secret } = await createOwner();
  clock.advance(60);
  const counter = Math.floor(clock.now / 30) - 1;
  const otp = HOTP.generate({ secret: Secret.fromBase32(secret), counter });
  expect(
    (
      await sandbox.login({
        body: { email: account.email, password: account.password, otp },
        headers: { "idempotency-key": randomUUID() },
      })
    ).statusCode,
  ).toBe(200);
});
