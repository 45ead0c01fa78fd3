import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { describe, expect, jest, test } from "@jest/globals";
import { bodyOf, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { cancel, gather, hold, loseAnswer, loseRequest } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

// What an address, a password and a body may be are tables of lib/accounts/email.test.ts,
// lib/factors/password-policy.test.ts and lib/http/schemas.test.ts; here are samples of each.

const password = "a long enough password";
const taken = { status: 409, code: "email_taken", detail: "There is an account with this e-mail address." };
const noAddress =
  "must be an e-mail address of at most 254 bytes, in ASCII before the @, such as ada@example.com";
const wrongLength = "must have 15 to 256 characters";
const common = invalidBody(["password", "is among the most common passwords; choose another one"]);
const ownAddress = invalidBody(["password", "must not be or contain your e-mail address"]);
const put = "TransactWriteItems users identities";

/** Who has the address is read before it is refused. */
const find = "GetItem users";
const taking = [put, "GetItem users"];

let count = 0;
const newEmail = () => `ada.${++count}@example.com`;

const service = await startService();
const { sandbox, database, wire, expectRefusal, expectRequests } = service;
const findEntry = (email: string) => database.find("identities", { identity: `email:${email}` });
const short = service.createSandbox({ PASSWORD_MIN_LENGTH: "8" });
/** Where mail is on, an address is one that mail reaches. */
const withoutMail = service.createSandbox({ MAILS_TABLE: "" });

test("A33 there is no account that nobody registered", async () => {
  expect(await database.scan("users")).toEqual([]);
  for (const name of ["admin", "root", "test", "administrator"]) {
    const body = { email: `${name}@example.com`, password: name };
    expectProblem(await sandbox.login({ body }), refusals.loginFailed);
  }
});

test("A19 a common password is refused without any connection", async () => {
  const connect = jest.spyOn(Socket.prototype, "connect");
  // No sandbox has read its list yet.
  const body = { email: newEmail(), password: "1234567890987654321" };
  const response = await service.createSandbox().register({ body });
  const { length } = connect.mock.calls;
  connect.mockRestore();
  expectProblem(response, common);
  expect(length).toBe(0);
});

describe("POST /auth/register", () => {
  test("creates an account and stores the password as an argon2id hash only", async () => {
    const email = newEmail();
    const response = await expectRequests([put], () => sandbox.register({ body: { email, password } }));
    const { userId } = bodyOf(response);
    expect(userId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expectJson(response, 201, { userId, email });
    expect(response.cookies).toBeUndefined();
    expect(await database.find("identities", { identity: `email:${email}` })).toEqual({
      ...{ identity: `email:${email}`, userId, createdAt: clock.now },
    });
    expect(await database.find("users", { userId })).toEqual({
      email,
      userId,
      language: "en",
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/),
      sessionEpoch: 0,
      sweptEpoch: 0,
      createdAt: clock.now,
      lastChange: {
        ...{ id: expect.any(String), event: "user_created", by: "user", at: clock.now },
        ...{ ip: "192.0.2.7", device: "unknown browser", requestId: log.entries().at(-1)?.requestId },
      },
    });
  });

  test("refuses an address that has an account and leaves the account as it is", async () => {
    const email = newEmail();
    const { userId } = bodyOf(await sandbox.register({ body: { email, password } }));
    const before = await database.find("users", { userId });
    const again = () => sandbox.register({ body: { email, password: "another long password" } });
    await expectRefusal(again, taken, taking);
    expect(await database.find("users", { userId })).toEqual(before);
  });

  test("A09 makes one account of 10 parallel registrations", async () => {
    const email = newEmail();
    wire.forget();
    wire.break(put, gather(10), { times: 10 });
    const attempts = Array.from({ length: 10 }, () => sandbox.register({ body: { email, password } }));
    const responses = await Promise.all(attempts);
    const created = responses.filter(({ statusCode }) => statusCode === 201);
    expect(created).toHaveLength(1);
    for (const response of responses) if (response !== created[0]) expectProblem(response, taken);
    expect(wire.appliedWrites).toEqual([put]);
    expect((await findEntry(email))?.userId).toBe(bodyOf(created[0] as never).userId);
  });

  test("S11 knows its own account when the answer was lost and the SDK tried again", async () => {
    const email = newEmail();
    wire.break(put, loseAnswer);
    const response = await expectRequests([put, put], () => sandbox.register({ body: { email, password } }));
    expect(response.statusCode).toBe(201);
    expect((await findEntry(email))?.userId).toBe(bodyOf(response).userId);
  });

  test("finds its own account when every answer was lost", async () => {
    const body = { email: newEmail(), password };
    wire.break(put, loseAnswer, { times: 3 });
    const response = await expectRequests([put, put, put, find], () => sandbox.register({ body }));
    expect(pairOf(await sandbox.login({ body })).claims.sub).toBe(bodyOf(response).userId);
  });

  test("S26 whose transaction is committed only after nobody waits is a 503; the account is there, and its owner logs in", async () => {
    const body = { email: newEmail(), password };
    const held = hold("request");
    wire.break(put, held.fault);
    wire.break(put, loseRequest, { times: 2 });
    const response = expectRequests([put, put, put, find], () => service.impatient.register({ body }));
    expectProblem(await response, refusals.unavailable);
    expectProblem(await sandbox.login({ body }), refusals.loginFailed);
    await held.release();
    expectProblem(await sandbox.register({ body }), taken);
    expect(pairOf(await sandbox.login({ body })).claims.email).toBe(body.email);
  });

  test("S25 goes on after three conflicts, each time as another transaction; a fourth is a 503, and none is a 4xx", async () => {
    const body = { email: newEmail(), password };
    const conflict = cancel("None", "TransactionConflict");
    wire.break(put, conflict, { times: 4 });
    expectProblem(
      await expectRequests(Array(4).fill(put), () => sandbox.register({ body })),
      refusals.unavailable,
    );
    wire.forget();
    wire.break(put, conflict, { times: 3 });
    expect((await sandbox.register({ body })).statusCode).toBe(201);
    const tokens = wire.requests.map(({ parameters }) => parameters.ClientRequestToken);
    expect(new Set(tokens).size).toBe(4);
  });
});

describe("the e-mail address of a registration", () => {
  const longest = `${"l".repeat(64)}@${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(61)}`;

  test.each([
    ["trimmed and in lower case", "  Grace.Hopper@Example.COM\t", "grace.hopper@example.com"],
    ["A07 in full-width characters", "ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "bob@example.com"],
    ["A08 with a combining accent", "rene\u0301@example.com", "ren\u00e9@example.com"],
    ["A34 in another script", "ученик@пример.рф", "ученик@xn--e1afmkfd.xn--p1ai"],
    ["at its longest", longest, longest],
  ])("is stored in one form, without mail in any script: %s", async (_, typed, stored) => {
    const response = await withoutMail.register({ body: { email: typed, password } });
    expectJson(response, 201, { userId: expect.any(String), email: stored });
    const again = { email: stored.normalize("NFD").toUpperCase(), password };
    await expectRefusal(() => withoutMail.register({ body: again }), taken, taking);
  });

  test.each([
    ["with a line break inside", "ada@example.com\r\nbcc: eve@example.com"],
    ["of 255 bytes", longest.replace("@", "@d")],
    ["B17 that makes careless patterns slow", `a@${"a.".repeat(5_000)}`],
    ["B22 in markup", "<script>@example.com>"],
    ["M11 that mail does not reach", "jörg@example.com"],
  ])("is refused %s", async (_, email) => {
    await expectRefusal(
      () => sandbox.register({ body: { email, password } }),
      invalidBody(["email", noAddress]),
    );
  });
});

describe("the password of a registration", () => {
  test.each([
    ["A13 15 characters of four bytes each", "🦊".repeat(15)],
    ["A12 256 characters of four bytes each", "🦊🐻🐼🦁".repeat(64)],
    ["A18 lower-case letters only", "correcthorsebatterystaple"],
    ["a NUL inside", "a password with\0in it"],
  ])("may have %s", async (_, text) => {
    const body = { email: newEmail(), password: text };
    expect((await sandbox.register({ body })).statusCode).toBe(201);
    expect((await sandbox.login({ body })).statusCode).toBe(200);
  });

  test("must not be shorter or longer, or no Unicode text", async () => {
    for (const text of ["🦊".repeat(14), `${"x".repeat(255)}\ufb03`, "a long enough password \ud800"]) {
      const body = { email: newEmail(), password: text };
      await expectRefusal(() => sandbox.register({ body }), invalidBody(["password", wrongLength]));
    }
  });

  test("may be as short as PASSWORD_MIN_LENGTH says", async () => {
    const eight = { email: newEmail(), password: "8 chars!" };
    expect((await short.register({ body: eight })).statusCode).toBe(201);
    const seven = { email: newEmail(), password: "7 chars" };
    const refusal = invalidBody(["password", "must have 8 to 256 characters"]);
    await expectRefusal(() => short.register({ body: seven }), refusal);
  });

  test("A17 must not be among the common ones, in any case or width", async () => {
    const file = ".local/test/bundles/functions/account/register.common-passwords.txt";
    const listed = readFileSync(file, "utf8").split("\n");
    const long = listed.find((word) => [...word].length >= 15) ?? "";
    for (const text of [long, long.toUpperCase(), "123456789012345"])
      await expectRefusal(() => sandbox.register({ body: { email: newEmail(), password: text } }), common);
    for (const text of ["PassWord1", "ｐａｓｓｗｏｒｄ１", "qwertyuiop"])
      await expectRefusal(() => short.register({ body: { email: newEmail(), password: text } }), common);
  });

  test.each([
    ["margaret.hamilton@example.com", "My margaret.hamilton@example.com login"],
    ["margaret.hamilton@example.com", "ｍａｒｇａｒｅｔ.hamilton"],
    ["margaret@xn--bcher-kva.example", "My margaret@Bücher.example login"],
  ])("A17 must not be or hold the e-mail address: %s, %s", async (email, text) => {
    await expectRefusal(() => sandbox.register({ body: { email, password: text } }), ownAddress);
    expect(await findEntry(email)).toBeUndefined();
  });
});

test.each<[string, object, [string, string][]]>([
  [
    "two faults",
    { email: "ada", password: "short" },
    [
      ["email", noAddress],
      ["password", wrongLength],
    ],
  ],
  ["an object for a field", { email: { $ne: null }, password }, [["email", "must be a string"]]],
  [
    "B15 an attribute of an account",
    { email: newEmail(), password, userId: "me" },
    [["userId", "is not known"]],
  ],
  [
    "a field with a strange name",
    { email: newEmail(), password, "<b>": 1 },
    [["another_field", "is not known"]],
  ],
])("a registration is refused with %s", async (_, body, faults) => {
  const before = await database.scan("users");
  await expectRefusal(() => sandbox.register({ body }), invalidBody(...faults));
  expect(await database.scan("users")).toHaveLength(before.length);
});
