import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectJson, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { loseAnswer } from "./support/faults.ts";
import { pairOf } from "./support/pair.ts";
import { startServices } from "./support/service.ts";

const password = "a long enough password";
const taken = { status: 409, code: "email_taken", detail: "There is an account with this e-mail address." };
const invalid = (...errors: [field: string, detail: string][]) => ({
  status: 400,
  code: "invalid_body",
  detail: errors.map((error) => error.join(" ")).join("; "),
  errors: errors.map(([field, detail]) => ({ pointer: `#/${field}`, detail })),
});
const noEmail = invalid(["email", "must be an e-mail address of at most 254 bytes, such as ada@example.com"]);
const wrongLength = invalid(["password", "must have 15 to 256 characters"]);
const common = invalid(["password", "is among the most common passwords; choose another one"]);
const ownAddress = invalid(["password", "must not be or contain your e-mail address"]);

let count = 0;
const newEmail = () => `ada.${++count}@example.com`;

const services = await startServices();
const [service] = services;
const { sandbox, database, expectRefusal } = service;
const short = service.createSandbox({ PASSWORD_MIN_LENGTH: "8" });

describe.each(services)(
  "POST /auth/register on $engine",
  ({ engine, sandbox, database, wire, ...service }) => {
    const look = engine === "embedded" ? ["GetItem users"] : [];

    test("creates an account and stores the password as an argon2id hash only", async () => {
      const email = newEmail();
      const response = await service.expectRequests(["PutItem users"], () =>
        sandbox.register({ body: { email, password } }),
      );
      const { userId } = bodyOf(response);
      expect(userId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expectJson(response, 201, { userId, email });
      expect(response.cookies).toBeUndefined();
      expect(await database.find("users", { email })).toEqual({
        email,
        userId,
        passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/),
        sessionEpoch: 0,
        sweptEpoch: 0,
        createdAt: clock.now,
      });
    });

    test("refuses an address that has an account and leaves the account as it is", async () => {
      const email = newEmail();
      await sandbox.register({ body: { email, password } });
      const before = await database.find("users", { email });
      await service.expectRefusal(
        () => sandbox.register({ body: { email, password: "another long password" } }),
        taken,
        ["PutItem users", ...look],
      );
      expect(await database.find("users", { email })).toEqual(before);
    });

    test("A09 makes one account of 20 parallel registrations", async () => {
      const email = newEmail();
      wire.forget();
      const attempts = Array.from({ length: 20 }, () => sandbox.register({ body: { email, password } }));
      const responses = await Promise.all(attempts);
      const created = responses.filter(({ statusCode }) => statusCode === 201);
      expect(created).toHaveLength(1);
      for (const response of responses) if (response !== created[0]) expectProblem(response, taken);
      expect(wire.appliedWrites).toEqual(["PutItem users"]);
      expect((await database.find("users", { email }))?.userId).toBe(bodyOf(created[0] as never).userId);
    });

    test("S11 knows its own account when the answer was lost and the SDK tried again", async () => {
      const email = newEmail();
      wire.break("PutItem users", loseAnswer);
      const response = await service.expectRequests(["PutItem users", "PutItem users", ...look], () =>
        sandbox.register({ body: { email, password } }),
      );
      expect(response.statusCode).toBe(201);
      expect((await database.find("users", { email }))?.userId).toBe(bodyOf(response).userId);
    });

    test("answers 503 when every answer was lost; the account is there and its owner logs in", async () => {
      const email = newEmail();
      wire.break("PutItem users", loseAnswer, { times: 3 });
      expectProblem(await sandbox.register({ body: { email, password } }), refusals.unavailable);
      expectProblem(await sandbox.register({ body: { email, password } }), taken);
      expect(pairOf(await sandbox.login({ body: { email, password } })).claims.email).toBe(email);
    });
  },
);

describe("the e-mail address of a registration", () => {
  test.each([
    ["trimmed and in lower case", "  Grace.Hopper@Example.COM\t", "grace.hopper@example.com"],
    ["A07 in full-width characters", "ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "bob@example.com"],
    ["A08 with a combining accent", "rene\u0301@example.com", "ren\u00e9@example.com"],
    ["with the Kelvin sign", "\u212Aelvin@example.com", "kelvin@example.com"],
    ["in another script", "ученик@пример.рф", "ученик@пример.рф"],
    ["with a sub-address", "eve+shop@example.com", "eve+shop@example.com"],
    ["at its longest", `${"l".repeat(64)}@${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(61)}`, undefined],
  ])("is stored in one form: %s", async (_, typed, stored = typed) => {
    const response = await sandbox.register({ body: { email: typed, password } });
    expectJson(response, 201, { userId: expect.any(String), email: stored });
    await expectRefusal(
      () => sandbox.register({ body: { email: stored.normalize("NFD").toUpperCase(), password } }),
      taken,
      ["PutItem users"],
    );
  });

  test.each([
    ["empty", ""],
    ["without @", "ada.example.com"],
    ["with two @", "ada@@example.com"],
    ["without a name", "@example.com"],
    ["without a domain", "ada@"],
    ["with a blank inside", "ada lovelace@example.com"],
    ["with a line break inside", "ada@example.com\r\nbcc: eve@example.com"],
    ["with NUL", "ada\0@example.com"],
    ["with a lone surrogate", "ada\ud800@example.com"],
    ["with an empty label", "ada@example..com"],
    ["with a label that starts with a hyphen", "ada@-example.com"],
    ["of 255 bytes", `${"l".repeat(64)}@${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(62)}`],
    ["of 256 bytes in 131 characters", `${"é".repeat(63)}@${"é".repeat(62)}.coms`],
    ["of 10 kB", `${"a".repeat(10_000)}@example.com`],
    ["B17 that makes careless patterns slow", `a@${"a.".repeat(5_000)}`],
    ["B22 in markup", "<script>@example.com>"],
  ])("is refused %s", async (_, email) => {
    await expectRefusal(() => sandbox.register({ body: { email, password } }), noEmail);
  });
});

describe("the password of a registration", () => {
  test.each([
    ["15 characters", "fifteen letters"],
    ["A13 15 characters of four bytes each", "🦊".repeat(15)],
    ["A12 256 characters", "twelve chars".repeat(22).slice(0, 256)],
    ["256 characters of four bytes each", "🦊🐻🐼🦁".repeat(64)],
    ["15 characters after NFKC (five ligatures)", "\ufb03".repeat(5)],
    ["A18 lower-case letters only", "correcthorsebatterystaple"],
    ["a NUL inside", "a password with\0in it"],
  ])("may have %s", async (_, text) => {
    const body = { email: newEmail(), password: text };
    expect((await sandbox.register({ body })).statusCode).toBe(201);
    expect((await sandbox.login({ body })).statusCode).toBe(200);
  });

  test.each([
    ["nothing", ""],
    ["14 characters", "fourteen chars"],
    ["A13 14 characters of four bytes each", "🦊".repeat(14)],
    ["14 characters after NFKC (15 before)", "twelve chars+e\u0301"],
    ["A12 257 characters", "x".repeat(257)],
    ["256 characters that are more after NFKC", `${"x".repeat(255)}\ufb03`],
    ["8,000 characters", "long password ".repeat(600).slice(0, 8_000)],
    ["a lone surrogate", "a long enough password \ud800"],
  ])("must not have %s", async (_, text) => {
    await expectRefusal(() => sandbox.register({ body: { email: newEmail(), password: text } }), wrongLength);
  });

  test("may be as short as PASSWORD_MIN_LENGTH says", async () => {
    const eight = { email: newEmail(), password: "8 chars!" };
    expect((await short.register({ body: eight })).statusCode).toBe(201);
    await expectRefusal(
      () => short.register({ body: { email: newEmail(), password: "7 chars" } }),
      invalid(["password", "must have 8 to 256 characters"]),
    );
  });

  test("A17 must not be among the common ones, in any case or width", async () => {
    const file = ".local/test/bundles/functions/account/register.common-passwords.txt";
    const listed = readFileSync(file, "utf8").split("\n");
    const long = listed.filter((word) => [...word].length >= 15).slice(0, 3);
    expect(long).toHaveLength(3);
    for (const text of [...long, ...long.map((word) => word.toUpperCase()), "123456789012345"]) {
      await expectRefusal(() => sandbox.register({ body: { email: newEmail(), password: text } }), common);
    }
    for (const text of ["password1", "PassWord1", "ｐａｓｓｗｏｒｄ１", "qwertyuiop"]) {
      await expectRefusal(() => short.register({ body: { email: newEmail(), password: text } }), common);
    }
  });

  test("A17 must not be or hold the e-mail address", async () => {
    const email = "margaret.hamilton@example.com";
    for (const text of [
      email,
      "Margaret.Hamilton@Example.com",
      `my ${email} login`,
      "margaret.hamilton",
      "ｍａｒｇａｒｅｔ.hamilton",
    ]) {
      await expectRefusal(() => sandbox.register({ body: { email, password: text } }), ownAddress);
    }
    expect(await database.find("users", { email })).toBeUndefined();
  });
});

describe("the body of a registration", () => {
  test.each([
    ["nothing in it", {}, invalid(["email", "is missing"], ["password", "is missing"])],
    ["no password", { email: "ada@example.com" }, invalid(["password", "is missing"])],
    [
      "null fields",
      { email: null, password: null },
      invalid(["email", "must be a string"], ["password", "must be a string"]),
    ],
    ["an object for a field", { email: { $ne: null }, password }, invalid(["email", "must be a string"])],
    [
      "an array for a field",
      { email: ["ada@example.com"], password },
      invalid(["email", "must be a string"]),
    ],
    [
      "a number for a field",
      { email: "ada@example.com", password: 123456789012345 },
      invalid(["password", "must be a string"]),
    ],
    ["two faults", { email: "ada", password: "short" }, { ...noEmail, ...merge(noEmail, wrongLength) }],
    [
      "a field too many",
      { email: "ada@example.com", password, isAdmin: true },
      invalid(["isAdmin", "is not known"]),
    ],
    [
      "B15 the attributes of an account",
      { email: "ada@example.com", password, userId: "me", sessionEpoch: 9 },
      invalid(["userId", "is not known"]),
    ],
    [
      "a field with a strange name",
      { email: "ada@example.com", password, "<b>": 1 },
      invalid(["another_field", "is not known"]),
    ],
  ])("is refused with %s", async (_, body, refusal) => {
    await expectRefusal(() => sandbox.register({ body }), refusal);
    expect(await database.find("users", { email: "ada@example.com" })).toBeUndefined();
  });
});

function merge(...refusals: (typeof noEmail)[]) {
  return {
    detail: refusals.map(({ detail }) => detail).join("; "),
    errors: refusals.flatMap(({ errors }) => errors),
  };
}
