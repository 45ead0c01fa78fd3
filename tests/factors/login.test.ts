import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf, expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { deliverTwice, fail, gather, loseAnswer, precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { lookUp, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const addFactor = createAuthenticators(service);
const claim = "UpdateItem users";

/** An account with a second factor, and how its owner logs in. */
async function createOwner() {
  const account = await service.addAccount();
  const app = await addFactor(account);
  const { email, password, userId } = account;
  const findUser = async () => (await database.find("users", { userId })) ?? {};
  const logIn = (otp?: unknown, { key, ...more }: { key?: string; password?: string } = {}) =>
    sandbox.login({
      body: { email, password, ...(otp !== undefined && { otp }), ...more },
      ...(key !== undefined && { headers: { "idempotency-key": key } }),
    });
  return { account, userId, ...app, logIn, findUser };
}
const statuses = (responses: ApiResponse[]) => responses.map(({ statusCode }) => statusCode).sort();
const codeOf = (response: ApiResponse) => (response.statusCode === 200 ? "" : bodyOf(response).code);

describe("a login with a code", () => {
  test("makes no request more than one without: the claim takes the place of the re-read", async () => {
    const { codeAt, logIn } = await createOwner();
    const response = await expectRequests([...lookUp, "PutItem sessions", claim], () => logIn(codeAt()));
    const { claims, cookies } = pairOf(response);
    expect(claims).toMatchObject({ amr: ["pwd", "otp", "mfa"], acr: "aal2" });
    // With an address of 25 bytes here, and the issuer of a gateway.
    expect(response.cookies?.find((line) => line.startsWith(cookies[0] ?? "?"))?.length).toBeLessThanOrEqual(
      850,
    );
  });

  test("O36 keeps how the user was proven over refreshes; one without a factor says nothing of it", async () => {
    const { codeAt, logIn } = await createOwner();
    const pair = await service.rotate(pairOf(await logIn(codeAt())));
    expect(pair.claims).toMatchObject({ amr: ["pwd", "otp", "mfa"], acr: "aal2" });
    const { claims } = await service.logIn();
    expect([claims.amr, claims.acr]).toEqual([undefined, undefined]);
  });

  test("O13 without one it is refused: nothing is stored, no cookie set, and the attempt counts", async () => {
    const { account, logIn } = await createOwner();
    const refused = await expectRequests(lookUp, () => logIn());
    expectProblem(refused, refusals.secondFactorRequired);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
    expect(log.entries().at(-1)).toMatchObject({ event: "authn_factor_missing", level: "WARN" });
    for (const _ of [2, 3, 4, 5]) await logIn();
    expectProblem(await logIn(), tooManyAttempts(30));
  });

  test("O01 wrong ones are attempts, though the password is right", async () => {
    const { codeAt, logIn, recoveryCodes } = await createOwner();
    for (const otp of ["000000", "111111", codeAt(2), codeAt(-2), "a".repeat(16)])
      expectProblem(await expectRequests(lookUp, () => logIn(otp)), refusals.invalidOtp);
    expect(log.entries().at(-1)).toMatchObject({ event: "authn_factor_fail", FactorRefused: 1 });
    expectProblem(await logIn(codeAt()), tooManyAttempts(30));
    clock.advance(30);
    // The one that is right clears them, after its claim.
    const cleared = [...lookUp, "PutItem sessions", claim, "DeleteItem attempts"];
    expect((await expectRequests(cleared, () => logIn(recoveryCodes[0]))).statusCode).toBe(200);
  });

  test("O12 with a wrong password is the refusal of a wrong password, and uses nothing up", async () => {
    const { codeAt, logIn } = await createOwner();
    const wrong = await expectRequests(lookUp, () => logIn(codeAt(), { password: "not the right one" }));
    expectProblem(wrong, refusals.loginFailed);
    expect((await logIn(codeAt())).statusCode).toBe(200);
  });

  test.each([123456, "", "1234567", "１２３４５６", null, ["123456"]])("O11 %j is no code", async (otp) => {
    const { logIn } = await createOwner();
    const response = await expectRequests([], () => logIn(otp));
    expect([response.statusCode, bodyOf(response).errors[0].pointer]).toEqual([400, "#/otp"]);
  });

  test("where the account has no second factor it is not looked at", async () => {
    const { email, password } = await service.addAccount();
    expect((await sandbox.login({ body: { email, password, otp: "000000" } })).statusCode).toBe(200);
  });
});

describe("wrong codes with the right password", () => {
  const put = "PutItem mails";

  test("are told to a proven address from the third attempt in a row on, once a day", async () => {
    const { account, logIn } = await createOwner();
    const { userId, email } = account;
    const told = async () =>
      (await database.scan("mails")).filter(
        (mail) => mail.email === email && mail.notice === "factorRefused",
      );
    await database.change("users", { userId }, { emailVerifiedAt: 1 });
    await expectRequests(lookUp, () => logIn());
    await expectRequests(lookUp, () => logIn("000000"));
    for (const _ of [3, 4])
      expectProblem(await expectRequests([...lookUp, put], () => logIn("000000")), refusals.invalidOtp);
    expect(await told()).toHaveLength(1);
    clock.advance(86_400);
    for (const _ of [1, 2, 3]) await logIn("000000");
    expect(await told()).toHaveLength(2);
  });

  test("are refused as ever where that cannot be told", async () => {
    const { account, logIn } = await createOwner();
    await database.change("users", { userId: account.userId }, { emailVerifiedAt: 1 });
    for (const _ of [1, 2]) await logIn("000000");
    wire.break(put, fail, { times: 3 });
    expectProblem(await logIn("000000"), refusals.invalidOtp);
  });
});

describe("a code counts once", () => {
  test("O02 O04 O05 O18 steps only rise: not the same again, in the next step either, and none before it", async () => {
    const { codeAt, logIn } = await createOwner();
    clock.advance(29 - (clock.now % 30));
    const code = codeAt();
    expect((await logIn(code)).statusCode).toBe(200);
    expectProblem(await logIn(code), refusals.usedOtp);
    clock.advance(2);
    expectProblem(await logIn(code), refusals.usedOtp);
    expect((await logIn(codeAt(1))).statusCode).toBe(200);
    expectProblem(await logIn(codeAt()), refusals.usedOtp);
  });

  test("O03 of fifty logins at once with one code one gets in, and leaves the one session", async () => {
    const { userId, codeAt, logIn } = await createOwner();
    // The row of attempts would stop most of them before.
    wire.break("UpdateItem attempts", fakeCount, { times: 50 });
    wire.break(claim, gather(50), { times: 50 });
    const responses = await Promise.all(Array.from({ length: 50 }, () => logIn(codeAt())));
    expect(statuses(responses)).toEqual([200, ...Array(49).fill(401)]);
    expect(new Set(responses.map(codeOf))).toEqual(new Set(["", "invalid_otp"]));
    expect(await database.sessionsOf(userId)).toHaveLength(1);
  });

  test("O08 a lost answer: the same request with its key gets in once more, another one does not", async () => {
    const { codeAt, logIn } = await createOwner();
    const code = codeAt();
    const key = "a-key-of-this-very-login";
    expect((await logIn(code, { key })).statusCode).toBe(200);
    expectProblem(await logIn(code, { key: "a-key-of-somebody-else" }), refusals.usedOtp);
    expect((await logIn(code, { key })).statusCode).toBe(200);
  });

  test.each([
    ["is not answered", loseAnswer],
    ["arrives twice", deliverTwice],
  ])("O09 a claim that %s is one login", async (_, fault) => {
    const { userId, codeAt, logIn } = await createOwner();
    wire.break(claim, fault);
    expect((await logIn(codeAt())).statusCode).toBe(200);
    expect(await database.sessionsOf(userId)).toHaveLength(1);
  });

  test.each([
    ["all sessions are ended", { sessionEpoch: 1 }, "invalid_otp"],
    ["the account is disabled", { disabledAt: 1 }, "invalid_credentials"],
    [
      "the account is closed, and its sessions ended",
      { disabledAt: 1, sessionEpoch: 1 },
      "invalid_credentials",
    ],
  ])("O10 between put and claim %s: that login leaves no session", async (_, change, code) => {
    const { userId, codeAt, logIn } = await createOwner();
    const interfere = () => database.change("users", { userId }, change);
    wire.break(claim, precededBy(interfere));
    const response = await logIn(codeAt());
    // It begins again, once: the code has not been used.
    const isOpened = code === "invalid_otp";
    expect(codeOf(response)).toBe(isOpened ? "" : code);
    const epochs = (await database.sessionsOf(userId)).map(({ sessionEpoch }) => sessionEpoch);
    expect(epochs).toEqual(isOpened ? [1] : []);
  });

  test("O24 no image of a claim tells of the change before it again", async () => {
    const { findUser, codeAt, logIn } = await createOwner();
    expect((await findUser()).lastChange).toMatchObject({ event: "user_created" });
    await logIn(codeAt());
    expect((await findUser()).lastChange).toBeUndefined();
  });
});

describe("a recovery code", () => {
  test("O32 gets in, with two factors, and is told as a change of the account", async () => {
    const { findUser, recoveryCodes, logIn } = await createOwner();
    const { claims } = pairOf(await logIn(recoveryCodes[3]?.toUpperCase()));
    expect(claims.acr).toBe("aal2");
    expect(log.entries().at(-1)).toMatchObject({ event: "authn_login_success", by: "recovery" });
    const { recovery, lastChange } = await findUser();
    expect(recovery.used).toEqual({ c3: expect.any(String) });
    expect(lastChange).toMatchObject({ event: "recovery_code_used", by: "user" });
  });

  test("O27 O29 counts once, also of thirty logins at once", async () => {
    const { userId, recoveryCodes, logIn } = await createOwner();
    wire.break("UpdateItem attempts", fakeCount, { times: 30 });
    wire.break(claim, gather(30), { times: 30 });
    const responses = await Promise.all(Array.from({ length: 30 }, () => logIn(recoveryCodes[0])));
    expect(statuses(responses)).toEqual([200, ...Array(29).fill(401)]);
    expect(await database.sessionsOf(userId)).toHaveLength(1);
    expectProblem(await logIn(recoveryCodes[0]), refusals.usedOtp);
  });

  test("O28 two different ones at once both get in, and both are used up", async () => {
    const { recoveryCodes, logIn, findUser } = await createOwner();
    wire.break(claim, gather(2), { times: 2 });
    expect(statuses(await Promise.all([logIn(recoveryCodes[0]), logIn(recoveryCodes[1])]))).toEqual([
      200, 200,
    ]);
    expect(Object.keys((await findUser()).recovery.used)).toEqual(expect.arrayContaining(["c0", "c1"]));
  });

  test("O31 of another account, or of another series, is refused", async () => {
    const [own, other] = [await createOwner(), await createOwner()];
    expectProblem(await own.logIn(other.recoveryCodes[0]), refusals.invalidOtp);
    await addFactor(own.account);
    expectProblem(await own.logIn(own.recoveryCodes[0]), refusals.invalidOtp);
  });
});

/** An attempt that is the first in its row, however many there were. */
async function fakeCount() {
  const row = {
    count: { N: "1" },
    lastAt: { N: "1" },
    expiresAt: { N: "9999999999" },
    lastAttemptId: { S: "a" },
  };
  return { status: 200, body: JSON.stringify({ Attributes: row }) };
}
