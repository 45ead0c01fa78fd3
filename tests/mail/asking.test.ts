import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { operations } from "../../openapi/operations/index.ts";
import { bodyOf, expectJson, expectProblem, invalidBody, type Refusal, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { permissions } from "../support/declared.ts";
import type { RouteName } from "../support/event.ts";
import { fail, loseAnswer } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { type Step, startService } from "../support/service.ts";
import type { WireRequest } from "../support/wire.ts";

// What every route that mails a code does: it counts, puts one mail, and knows nobody.

const service = await startService();
const { wire, database } = service;
/** With the limit per address that a deployment has. */
const sandbox = service.createSandbox({ MAIL_LIMIT_PER_SOURCE_PER_HOUR: "20" });
const someone = () => `${randomUUID().slice(0, 13)}@example.com`;

/** The routes that ask for a code with nothing but an address. */
const asking = Object.entries(operations)
  .filter(([, { body }]) => body?.schema === "CodeRequest")
  .map(([name]) => name as RouteName);

/** Counts the source, then the address; then the mail. */
const steps: Step[] = ["UpdateItem attempts", "UpdateItem attempts", "PutItem mails"];

const tooManyMails = (seconds: number, to = "to this address"): Refusal => ({
  ...{ status: 429, code: "too_many_requests", headers: { "retry-after": String(seconds) } },
  detail: `Too many mails ${to}. The next one is possible in ${seconds} s.`,
});

/** What was put by the last request. */
async function lastMail() {
  const put = wire.requests.findLast(({ name }) => name === "PutItem mails");
  return database.find("mails", { id: put?.parameters.Item.id.S });
}

describe.each(asking)("%s", (name) => {
  const ask = (email: unknown, more = {}) => sandbox[name]({ body: { email }, ...more });

  test("F01 A05 answers the same of a known address and an unknown one, after the same requests", async () => {
    const { email } = await service.addAccount();
    const shapes = [];
    for (const address of [email, someone()]) {
      wire.forget();
      const response = await service.expectRequests(steps, () => ask(address));
      expect(response.statusCode).toBe(202);
      shapes.push([shapeOf(response), wire.requests.map(sizeOf)]);
    }
    expect(shapes[0]).toEqual(shapes[1]);
  });

  test("F01 answers while nobody can be looked up", async () => {
    for (const table of ["users", "sessions"]) wire.break(`GetItem ${table}`, fail, { times: 99 });
    expect((await ask(someone())).statusCode).toBe(202);
  });

  test("F03 answers a challenge and the character that is public: the code does not follow from it", async () => {
    const response = await ask(someone(), { headers: { "accept-language": "tlh, de;q=0.5" } });
    const mail = await lastMail();
    const { challenge, codeBegins } = bodyOf(response);
    const { expiresIn } = bodyOf(response);
    const offered = name === "askRegistration" && { passkey: expect.anything() };
    expectJson(response, 202, { challenge, codeBegins, expiresIn, ...offered });
    expect(challenge).toMatch(new RegExp(`^${mail?.id}\\.[\\w-]{22}$`));
    expect(mail).toEqual({
      ...{ id: expect.stringMatching(/^[\w-]{22}$/), kind: expect.any(String), email: expect.any(String) },
      ...{ createdAt: clock.now, validUntil: clock.now + expiresIn, expiresAt: clock.now + 7 * 86_400 },
      ...{ language: "de", device: "unknown browser", ip: "192.0.2.7" },
      ...(mail?.kind === "register" && { newUserId: expect.any(String) }),
    });
    expect(JSON.stringify(mail)).not.toContain(challenge.split(".")[1]);
  });

  test("F02 lets three mails to an address pass, then one after 5 min, 15 min, 1 h, 4 h, whoever has it", async () => {
    const { email } = await service.addAccount();
    for (const address of [email, someone()]) {
      for (let i = 0; i < 3; i++) expect((await ask(address)).statusCode).toBe(202);
      for (const pause of [300, 900, 3_600, 14_400, 14_400]) {
        wire.forget();
        expectProblem(await ask(address), tooManyMails(pause));
        expect(wire.names).not.toContain("PutItem mails");
        clock.advance(pause - 1);
        expectProblem(await ask(address), tooManyMails(1));
        clock.advance(1);
        expect((await ask(address)).statusCode).toBe(202);
      }
      clock.advance(172_800);
      for (let i = 0; i < 3; i++) expect((await ask(address)).statusCode).toBe(202);
    }
  });

  test("lets 20 mails an hour from one source pass, to whomever", async () => {
    clock.advance(3_600 - (clock.now % 3_600));
    for (let i = 0; i < 20; i++) expect((await ask(someone())).statusCode).toBe(202);
    expectProblem(await ask(someone()), tooManyMails(3_600, "from this address"));
    expect(log.entries().at(-1)).toMatchObject({ event: "excess_rate_limit_exceeded" });
    // It uses up the mails of no address: there is one for whoever asks from elsewhere.
    const email = someone();
    for (let i = 0; i < 3; i++) expectProblem(await ask(email), tooManyMails(3_600, "from this address"));
    expect((await service.sandbox[name]({ body: { email } })).statusCode).toBe(202);
    clock.advance(3_600);
  });

  test("mails nobody where nothing can be counted, and answers 503 where nothing can be put", async () => {
    wire.break("UpdateItem attempts", fail, { times: 6 });
    expectProblem(await ask(someone()), refusals.unavailable);
    expect(wire.names).not.toContain("PutItem mails");
    wire.break("PutItem mails", fail, { times: 3 });
    expectProblem(await ask(someone()), refusals.unavailable);
  });

  test("puts one mail, however often its answer is lost", async () => {
    wire.break("PutItem mails", loseAnswer, { times: 2 });
    const before = (await database.scan("mails")).length;
    expect((await ask(someone())).statusCode).toBe(202);
    expect((await database.scan("mails")).length).toBe(before + 1);
  });

  const odd = [
    ...[
      "ada\r\nbcc: eve@example.com",
      "ada@example.com\r\nbcc:eve@example.com",
      "ada@example.com, eve@example.com",
    ],
    ...[
      "ada,eve@example.com",
      "<ada@example.com>",
      '"ada"@example.com',
      "ada@example.com>",
      "a;b@example.com",
    ],
    ...["jörg@example.com", "ada@exa mple.com", ""],
  ];
  test.each(odd)("M07 M11 sends nothing to %j", async (email) => {
    const rule =
      "must be an e-mail address of at most 254 bytes, in ASCII before the @, such as ada@example.com";
    await service.expectRefusal(() => ask(email), invalidBody(["email", rule]));
  });

  test("M11 sends to the domain in ASCII, F16 and to the address as it is stored", async () => {
    const name = randomUUID().slice(0, 8);
    await ask(` ${name.toUpperCase()}@BÜCHER.example `);
    expect(await lastMail()).toMatchObject({ email: `${name}@xn--bcher-kva.example` });
    await ask(`${name}＠ｅｘａｍｐｌｅ．ｃｏｍ`);
    expect(await lastMail()).toMatchObject({ email: `${name}@example.com` });
  });

  test("M13 may count and put, and nothing with users or SES", () => {
    const allowed = ["GetSecretValue hash-keys", "PutItem attempts", "PutItem mails", "UpdateItem attempts"];
    expect(permissions[name]?.toSorted()).toEqual(allowed);
  });
});

/** What of a response does not differ by chance. */
function shapeOf({ statusCode, headers, body = "", cookies }: ApiResponse) {
  return { statusCode, headers, names: Object.keys(JSON.parse(body)), length: body.length, cookies };
}

/** What of a request does not differ by chance. */
function sizeOf({ name, parameters }: WireRequest) {
  return [name, JSON.stringify(parameters).length];
}
