import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { tableSettings } from "../support/declared.ts";
import { loseAnswer, loseRequest } from "../support/faults.ts";
import { run } from "../support/run.ts";
import { type Account, startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// `npm run users -- find|end-sessions|disable|enable|remove-factor`, run as an operator runs them.

const service = await startService();
const { sandbox, database, wire, feed } = service;
const { registerProven, rowsOf, mailsTo } = createTold(service);

const users = (args: string[], endpoint = database.endpoint) =>
  run("build/users/command.ts", args, { ...tableSettings, DYNAMODB_ENDPOINT: endpoint });
const logIn = ({ email, password }: Account) => sandbox.login({ body: { email, password } });
const told = ({ stdout }: { stdout: string }) => JSON.parse(stdout);

describe("npm run users", () => {
  test("find tells what is stored, by address or id, and no hash of a password or a token", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    const byEmail = await users(["find", account.email.toUpperCase()]);
    expect(told(byEmail)).toMatchObject({
      ...{ userId: account.userId, email: account.email, hasPassword: true, identities: [] },
      sessions: [expect.objectContaining({ sessionId: pair.key.sessionId })],
    });
    expect(byEmail.stdout).not.toMatch(/argon2|Hash|salt/);
    expect(told(await users(["find", account.userId]))).toEqual(told(byEmail));
  });

  test("disable ends every session, lets nobody in, leaves a row with the operator, and tells the owner; enable takes it back", async () => {
    const account = await registerProven();
    const pairs = [await service.logIn({ account }), await service.logIn({ account })];
    const { exitCode, ...done } = await users(["disable", account.email]);
    expect([exitCode, told(done)]).toEqual([
      0,
      expect.objectContaining({
        userId: account.userId,
        disabledAt: new Date(clock.now * 1_000).toISOString(),
      }),
    ]);
    await service.expectOver(pairs);
    expectProblem(await logIn(account), refusals.loginFailed);
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({
      ...{
        event: "user_archived",
        by: expect.stringMatching(/^operator .* on this machine$/),
        at: clock.now,
      },
    });
    expect((await rowsOf(account.userId)).at(-1)).not.toHaveProperty("device");
    expect((await mailsTo(account.email)).map(({ notice }) => notice)).toContain("accountDisabled");

    clock.advance(1);
    expect(told(await users(["enable", account.userId]))).toMatchObject({ disabledAt: null });
    expect((await logIn(account)).statusCode).toBe(200);
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({ event: "user_updated" });
  });

  test("remove-factor lets in whoever has lost phone and recovery codes, ends every session, and tells the owner", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    const { recoveryCodes } = await createAuthenticators(service)(account);
    const { email, password } = account;
    await sandbox.login({ body: { email, password, otp: recoveryCodes[0] } });
    const factors = { totp: { confirmedAt: clock.now }, recoveryCodesLeft: 9 };
    const found = await users(["find", email]);
    expect(told(found)).toMatchObject(factors);
    expect(found.stdout).not.toMatch(/usedBy|enrolment|seriesId/);
    expectProblem(await logIn(account), refusals.secondFactorRequired);
    clock.advance(1);
    expect((await users(["remove-factor", email])).exitCode).toBe(0);
    await service.expectOver([pair]);
    expect((await logIn(account)).statusCode).toBe(200);
    expect(told(await users(["find", email]))).toMatchObject({ totp: null, recoveryCodesLeft: 0 });
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({
      ...{ event: "totp_removed", by: expect.stringMatching(/^operator /) },
    });
    expect((await mailsTo(email)).map(({ notice }) => notice)).toContain("totpRemoved");
  });

  test("enable calls a deletion off that broke off: the session that began it is over, and the owner logs in", async () => {
    const account = await registerProven();
    const { cookies } = await service.logIn({ account });
    const remove = () => sandbox.deleteAccount({ cookies, body: { password: account.password } });
    wire.break("Query sessions", loseRequest, { times: 3 });
    expectProblem(await remove(), refusals.unavailable);
    expectProblem(await logIn(account), refusals.loginFailed);
    await users(["enable", account.email]);
    expect((await remove()).statusCode).toBe(401);
    expect((await logIn(account)).statusCode).toBe(200);
    expect(await database.find("users", { userId: account.userId })).not.toHaveProperty("deletingAt");
  });

  test("find prints nothing that a terminal takes for a command", async () => {
    const account = await service.register();
    const { key } = await service.logIn({ account });
    await database.change("sessions", key, { userAgent: "evil\u009b2J\u2028\u007f\u202e" });
    const { stdout } = await users(["find", account.email]);
    expect(stdout).toContain("evil");
    expect(stdout.trimEnd()).toMatch(/^[\x20-\x7e]+$/);
  });

  test("disable once more keeps the time, and ends what is left", async () => {
    const account = await service.register();
    await users(["disable", account.email]);
    const { disabledAt } = (await database.find("users", { userId: account.userId })) ?? {};
    const left = { userId: account.userId, sessionId: "left", sessionEpoch: 0 };
    await database.put("sessions", left);
    clock.advance(60);
    await users(["disable", account.email]);
    expect((await database.find("users", { userId: account.userId }))?.disabledAt).toBe(disabledAt);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });

  test("end-sessions ends every session, once although the answer is lost, and the user logs in again", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    wire.break("UpdateItem users", loseAnswer);
    expect(told(await users(["end-sessions", account.email], wire.endpoint))).toMatchObject({
      disabledAt: null,
    });
    await service.expectOver([pair]);
    expect(await database.find("users", { userId: account.userId })).toMatchObject({
      ...{ sessionEpoch: 1, sweptEpoch: 1 },
      lastChange: { event: "authn_token_revoked" },
    });
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test.each(["find", "disable", "enable", "end-sessions"])(
    "%s says that there is no such user, and changes nothing",
    async (command) => {
      const before = await database.scan("users");
      const { exitCode, stdout, stderr } = await users([command, "nobody@example.com"]);
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("there is no user nobody@example.com");
      expect(await database.scan("users")).toEqual(before);
    },
  );
});
