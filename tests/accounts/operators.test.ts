import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { type Item, tableNames } from "../support/database.ts";
import { permissionsOfPolicy, tableSettings } from "../support/declared.ts";
import { hold, loseAnswer, loseRequest } from "../support/faults.ts";
import { run } from "../support/run.ts";
import { type Account, startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// `npm run users`, run as an operator runs it. Invitations: tests/mail/invitation.test.ts.

const service = await startService();
const { sandbox, database, wire, feed } = service;
const { registerProven, rowsOf, mailsTo } = createTold(service);

const users = (args: string[], endpoint = database.endpoint) =>
  run("build/users/command.ts", args, {
    ...{ ...tableSettings, DYNAMODB_ENDPOINT: endpoint },
    HASH_KEYS: service.environment.HASH_KEYS ?? "",
  });
const logIn = ({ email, password }: Account) => sandbox.login({ body: { email, password } });
const told = ({ stdout }: { stdout: string }) => JSON.parse(stdout);
const lines = ({ stdout }: { stdout: string }) =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const toDate = (seconds: number) => new Date(seconds * 1_000).toISOString();

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
    await feed("events");
    expect(told(await users(["find", account.email]))).toMatchObject({
      disabledAt: toDate(clock.now),
      changes: [{ event: "user_archived", at: toDate(clock.now) }, { event: "user_created" }],
    });
    expect([exitCode, told(done)]).toEqual([
      0,
      expect.objectContaining({
        userId: account.userId,
        disabledAt: toDate(clock.now),
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

    const before = [await rowsOf(account.userId), await mailsTo(account.email)];
    const disabledAt = toDate(clock.now);
    clock.advance(1);
    expect(told(await users(["disable", account.email]))).toMatchObject({ disabledAt });
    await feed("events");
    expect([await rowsOf(account.userId), await mailsTo(account.email)]).toEqual(before);
    clock.advance(1);
    expect(told(await users(["enable", account.userId]))).toMatchObject({ disabledAt: null });
    expect((await logIn(account)).statusCode).toBe(200);
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({ event: "user_updated" });
  });

  test.each([
    ["a login", "PutItem sessions", "request"],
    ["a login", "PutItem sessions", "answer"],
    ["a refresh", "UpdateItem sessions", "request"],
    ["a refresh", "UpdateItem sessions", "answer"],
  ] as const)(
    "U01 disable while %s is at its %s, %s: no session lives afterwards",
    async (what, name, part) => {
      const account = await registerProven();
      const pair = await service.logIn({ account });
      clock.advance(60);
      const held = hold(part);
      wire.break(name, held.fault);
      const waiting = what === "a login" ? logIn(account) : service.refresh(pair);
      await held.arrived;
      await users(["disable", account.email]);
      held.release();
      await waiting;
      expect(await database.sessionsOf(account.userId)).toEqual([]);
    },
  );

  test("remove-factor lets in whoever has lost phone and recovery codes, ends every session, and tells the owner", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    const { recoveryCodes } = await createAuthenticators(service)(account);
    const { email, password } = account;
    await sandbox.login({ body: { email, password, otp: recoveryCodes[0] } });
    const factors = { totp: { confirmedAt: toDate(clock.now) }, recoveryCodesLeft: 9 };
    const found = await users(["find", email]);
    expect(told(found)).toMatchObject(factors);
    expect(found.stdout).not.toMatch(/usedBy|enrolment|seriesId/);
    expectProblem(await logIn(account), refusals.secondFactorRequired);
    clock.advance(1);
    const unasked = await users(["remove-factor", email]);
    expect([unasked.exitCode, unasked.stderr]).toEqual([
      1,
      expect.stringContaining("add --yes. Nothing was done."),
    ]);
    expect((await users(["remove-factor", email, "--yes"])).exitCode).toBe(0);
    await service.expectOver([pair]);
    expect((await logIn(account)).statusCode).toBe(200);
    expect(told(await users(["find", email]))).toMatchObject({ totp: null, recoveryCodesLeft: 0 });
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({
      ...{ event: "totp_removed", by: expect.stringMatching(/^operator /) },
    });
    expect((await mailsTo(email)).map(({ notice }) => notice)).toContain("totpRemoved");
    const rows = await rowsOf(account.userId);
    const again = await users(["remove-factor", email]);
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      expect.stringContaining("The account has no second factor. Nothing was changed."),
    ]);
    await feed("events");
    expect(await rowsOf(account.userId)).toEqual(rows);
  });

  test("remove-factor that broke off is finished by the same command", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    await createAuthenticators(service)(account);
    const remove = () => users(["remove-factor", account.email, "--yes"], wire.endpoint);
    wire.break("Query sessions", loseRequest, { times: 3 });
    expect((await remove()).exitCode).toBe(1);
    expect((await remove()).exitCode).toBe(0);
    await service.expectOver([pair]);
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
    const account = await service.addAccount();
    const { key } = await service.logIn({ account });
    await database.change("sessions", key, { userAgent: "evil\u009b2J\u2028\u007f\u202e" });
    const { stdout } = await users(["find", account.email]);
    expect(stdout).toContain("evil");
    expect(stdout.trimEnd()).toMatch(/^[\x20-\x7e]+$/);
  });

  test("disable once more keeps the time, and ends what is left", async () => {
    const account = await service.addAccount();
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

  test("U03 set-roles: the next login has them, and no session with the old ones is renewed", async () => {
    const account = await registerProven();
    const pair = await service.logIn({ account });
    const set = (roles: string) => users(["set-roles", account.email, "--roles", roles]);
    expect(told(await set("admin,acme:editor"))).toMatchObject({ roles: ["admin", "acme:editor"] });
    await service.expectOver([pair]);
    expect((await service.logIn({ account })).claims.roles).toEqual(["admin", "acme:editor"]);
    await feed("events");
    expect((await rowsOf(account.userId)).at(-1)).toMatchObject({
      ...{ event: "privilege_permissions_changed", roles: ["admin", "acme:editor"] },
      by: expect.stringMatching(/^operator /),
    });
    expect(lines(await users(["list", "--role", "admin"])).map(({ email }) => email)).toContain(
      account.email,
    );
    const tooLong = await set(Array.from({ length: 8 }, (_, index) => `r${index}`.repeat(25)).join(","));
    expect([tooLong.exitCode, tooLong.stderr]).toEqual([
      1,
      expect.stringMatching(/claims have \d+ bytes, and 384 fit/),
    ]);
    expect(told(await set("none"))).toMatchObject({ roles: [] });
    expect((await service.logIn({ account })).claims).not.toHaveProperty("roles");
  });

  test("unlock forgets the attempts of strangers and of the user's own browser, and the mails asked for", async () => {
    const account = await registerProven();
    const own = await sandbox.login({ body: { email: account.email, password: account.password } });
    const { email } = account;
    const guess = (cookies: string[] = []) =>
      sandbox.login({ cookies, body: { email, password: "a wrong sentence" } });
    const ask = () => sandbox.forgotPassword({ body: { email } });
    const device = (own.cookies ?? [])
      .map((cookie) => cookie.split(";", 1)[0] ?? "")
      .filter((pair) => pair.includes("device"));
    const isLocked = async () =>
      (
        await Promise.all([
          logIn(account),
          sandbox.login({ cookies: device, body: { email, password: account.password } }),
          ask(),
        ])
      ).map(({ statusCode }) => statusCode);
    for (let attempt = 0; attempt < 5; attempt++) await Promise.all([guess(), guess(device), ask()]);
    expect(await isLocked()).toEqual([429, 429, 429]);
    expect(told(await users(["unlock", email]))).toMatchObject({ email, roles: [] });
    clock.advance(6);
    expect(await isLocked()).toEqual([200, 200, 202]);
    expect(await database.find("users", { userId: account.userId })).toMatchObject({
      ...{ sessionEpoch: 0, lastChange: { event: "authn_login_unlock" } },
    });
  });

  test("delete says what would go, asks, and takes account, entries and sessions along; the rows stay", async () => {
    const account = await registerProven();
    const { email, userId } = account;
    const pair = await service.logIn({ account });
    await database.change("users", { userId }, { undoUntil: clock.now + 1_000, disabledAt: 1 });
    const goes = { userId, email, sessions: 1, identities: [] };
    expect(told(await users(["delete", email, "--dry-run"]))).toMatchObject({ ...goes, deleted: false });
    const unasked = await users(["delete", email]);
    expect([unasked.exitCode, unasked.stderr]).toEqual([
      1,
      expect.stringContaining("add --yes. Nothing was done."),
    ]);
    expect(await service.findSession(pair)).toBeDefined();
    wire.break("TransactWriteItems users identities", loseRequest, { times: 3 });
    expect((await users(["delete", email, "--yes"], wire.endpoint)).exitCode).toBe(1);
    clock.advance(1);
    expect(told(await users(["delete", userId, "--yes"]))).toMatchObject({ userId, deleted: true });
    await service.expectOver([pair]);
    expect(await database.find("users", { userId })).toBeUndefined();
    expect(await database.find("identities", { identity: `email:${email}` })).toBeUndefined();
    await feed("events");
    const rows = lines(await users(["audit", userId]));
    expect(rows.slice(0, 2)).toMatchObject([
      { event: "user_deleted", by: expect.stringMatching(/^operator /), at: toDate(clock.now) },
      { event: "user_deleting" },
    ]);
    expect((await mailsTo(email)).map(({ notice }) => notice)).toContain("accountDeleted");
  });

  test("list shows who there is, without hashes, and a damaged item instead of stopping there", async () => {
    const [proven, unproven, disabled] = [
      await registerProven(),
      await service.addAccount(),
      await service.addAccount(),
    ];
    await users(["disable", disabled.email]);
    await database.put("users", { userId: "by hand", email: "x@example.com", roles: "admin" });
    const list = async (...args: string[]) => lines(await users(["list", ...args]));
    const all = await list();
    const ids = (listed: { userId: string }[]) => listed.map(({ userId }) => userId);
    expect(ids(all)).toEqual(expect.arrayContaining(ids([proven, unproven, disabled])));
    expect(all).toContainEqual({ userId: "by hand", damaged: expect.stringContaining("roles") });
    expect(JSON.stringify(all)).not.toMatch(/argon2|Hash/);
    expect(ids(await list("--unverified"))).not.toContain(proven.userId);
    expect(ids(await list("--disabled"))).toEqual(expect.arrayContaining([disabled.userId]));
    expect(ids(await list("--disabled"))).not.toContain(proven.userId);
    await database.delete("users", { userId: "by hand" });
  });

  test("mails tells what became of the mails of a user, and of no token the whole id", async () => {
    const { email } = await registerProven();
    await sandbox.forgotPassword({ body: { email } });
    const [mail] = (await mailsTo(email)).filter(({ kind }) => kind === "reset");
    await database.change("mails", { id: mail?.id }, { failedAt: clock.now, failure: "MessageRejected" });
    const args = ["mails", email, "--failed"];
    expect(lines(await users(args))).toEqual([
      {
        ...{ mailId: mail?.id.slice(0, 8), kind: "reset", email, is: "failed", language: "en" },
        ...{ createdAt: toDate(clock.now), validUntil: toDate(clock.now + 3_600) },
        ...{ failedAt: toDate(clock.now), failure: "MessageRejected" },
      },
    ]);
    expect(lines(await users(["mails", "nobody@example.com"]))).toEqual([]);
    clock.advance(60);
    await sandbox.forgotPassword({ body: { email } });
    clock.advance(60);
    await sandbox.forgotPassword({ body: { email } });
    const times = lines(await users(["mails"])).map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted().reverse());
    expect(new Set(times).size).toBeGreaterThan(2);
  });

  test("export is what the owner gets, and names no operator", async () => {
    const account = await registerProven();
    await users(["set-roles", account.email, "--roles", "editor"]);
    await feed("events");
    const { cookies } = await service.logIn({ account });
    const own = JSON.parse((await sandbox.exportAccount({ cookies })).body ?? "");
    const exported = await users(["export", account.email]);
    expect(Object.keys(told(exported))).toEqual(Object.keys(own));
    expect(told(exported).changes[0]).toMatchObject({ by: "operator", roles: ["editor"] });
  });

  test("audit of an account that has no rows, as after an import, tells nothing, and not that it is not there", async () => {
    const { email, userId } = await service.addAccount();
    for (const target of [email, userId])
      expect(await users(["audit", target])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test.each([
    "find",
    "disable",
    "enable",
    "remove-factor",
    "end-sessions",
    "unlock",
    "delete",
    "export",
    "audit",
  ])("%s says that there is no such user, and changes nothing", async (command) => {
    const before = await database.scan("users");
    const { exitCode, stdout, stderr } = await users([command, "nobody@example.com"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("there is no user nobody@example.com");
    expect(await database.scan("users")).toEqual(before);
  });

  test("the managed policies allow what the commands send, and no more", async () => {
    const account = await registerProven();
    const { email, userId } = account;
    await service.logIn({ account });
    const file = join(mkdtempSync(join(tmpdir(), "policy-")), "users.jsonl");
    writeFileSync(file, '{"email":"policy@example.com"}\n');
    const sentBy = async (...commands: string[][]) => {
      const { length } = wire.requests;
      for (const args of commands)
        expect([args, (await users(args, wire.endpoint)).exitCode]).toEqual([args, 0]);
      return new Set(wire.requests.slice(length).flatMap(toPermissions));
    };
    const reads = await sentBy(["find", email], ["list"], ["audit", userId], ["mails"], ["export", userId]);
    expect([...reads].sort()).toEqual(permissionsOfPolicy("ReaderPolicy").sort());
    const writes = await sentBy(
      ...[
        ["invite", "new@example.com"],
        ["uninvite", "new@example.com"],
        ["set-roles", email, "--roles", "a"],
        ["unlock", email],
        ["reset", email],
      ],
      ...[
        ["disable", email],
        ["enable", email],
        ["import", file, "--write"],
        ["delete", email, "--yes"],
      ],
    );
    // Where the outcome of a transaction is not known, over an entry that is stale, and with the keys of a stage.
    const rare = ["GetItem mails", "ConditionCheckItem users", "GetSecretValue hash-keys"];
    const allowed = [...reads, ...permissionsOfPolicy("OperatorPolicy")];
    expect([...writes].filter((name) => !allowed.includes(name))).toEqual([]);
    expect(
      permissionsOfPolicy("OperatorPolicy").filter((name) => !writes.has(name) && !rare.includes(name)),
    ).toEqual([]);
  });
});

/** What a request needs to be allowed: of a transaction each of its writes. */
function toPermissions({ name, parameters }: { name: string; parameters: Item }): string[] {
  if (!parameters.TransactItems) return [name];
  return parameters.TransactItems.flatMap((item: Item) =>
    Object.entries(item).map(
      ([kind, { TableName }]) =>
        `${kind}Item ${Object.entries(tableNames).find(([, each]) => each === TableName)?.[0]}`,
    ),
  );
}
