import { argon2Sync, createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectJson, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { fail, precededBy } from "./support/faults.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { keepSecrets, log } from "./support/log.ts";
import { cookieOf, decodeClaims, pairOf } from "./support/pair.ts";
import { expectHashes } from "./support/password-hashes.ts";
import { logInSteps, lookUp, signingKey, startServices } from "./support/service.ts";

const services = await startServices();
const [service] = services;
const { sandbox, database, wire, expectRefusal } = service;
const account = await service.register();
const { email, password } = account;
const key = "0d5e1c52-2a3a-4f6c-8a55-7f2f6c9d7e10";

/** The PHC string of a password with any parameters. */
function hashWith(text: string, { memory = 19_456, passes = 2, parallelism = 1 }): string {
  const nonce = randomBytes(16);
  const message = text.normalize("NFKC");
  const tag = argon2Sync("argon2id", { message, nonce, memory, passes, parallelism, tagLength: 32 });
  const encode = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(nonce)}$${encode(tag)}`;
}

describe.each(services)("POST /auth/login on $engine", ({ sandbox, database, ...service }) => {
  test("T03 opens a session and stores only a hash of its refresh token", async () => {
    const { email, password, userId } = await service.register();
    const response = await service.expectRequests(logInSteps, () =>
      sandbox.login({ body: { email, password } }),
    );
    expectCookie(response);
    const { refreshToken, key, claims } = pairOf(response);
    const stored = await service.findSession({ key });
    expect(stored).toEqual({
      userId,
      sessionId: claims.sid,
      email,
      tokenHash: createHash("sha256").update(refreshToken).digest("base64url"),
      keyed: false,
      sessionEpoch: 0,
      createdAt: clock.now,
      expiresAt: clock.now + 86_400,
      userAgent: "tests",
      ip: "192.0.2.7",
    });
    expect(await database.sessionsOf(userId)).toEqual([stored]);
  });

  test("A27 opens another session each time and ends none", async () => {
    const { userId, ...body } = await service.register();
    const first = pairOf(await sandbox.login({ body }));
    const second = pairOf(await sandbox.login({ body, cookies: first.cookies }));
    expect(second.claims.sid).not.toBe(first.claims.sid);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await database.sessionsOf(userId)).toHaveLength(2);
  });

  test("A32 hashes again at login what was hashed with weaker parameters, once", async () => {
    const account = await service.register();
    const weak = hashWith(account.password, { memory: 8_192, passes: 1 });
    await database.change("users", { email: account.email }, { passwordHash: weak });
    await service.expectRequests([...logInSteps, "UpdateItem users"], () => service.logIn({ account }));
    const { passwordHash } = (await database.find("users", { email: account.email })) ?? {};
    expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await service.expectRequests([lookUp, "DeleteItem attempts", ...logInSteps.slice(1)], () =>
      service.logIn({ account }),
    );
  });

  test("does not put back a password that was changed while it hashed again", async () => {
    const account = await service.register();
    const weak = hashWith(account.password, { memory: 8_192, passes: 1 });
    const changed = hashWith("the password was changed", {});
    await database.change("users", { email: account.email }, { passwordHash: weak });
    service.wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { email: account.email }, { passwordHash: changed })),
    );
    await service.logIn({ account });
    expect((await database.find("users", { email: account.email }))?.passwordHash).toBe(changed);
  });
});

describe("the tokens of a login", () => {
  test("are an access token with exactly these claims and a random refresh token", async () => {
    const { token, refreshToken, claims, key } = await service.logIn({ account });
    const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
    expect(header).toEqual({ alg: "EdDSA", typ: "at+jwt", kid: signingKey.kid });
    expect(claims).toEqual({
      iss: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com",
      aud: "api",
      client_id: "web",
      sub: account.userId,
      sid: key.sessionId,
      email,
      auth_time: clock.now,
      iat: clock.now,
      exp: clock.now + 900,
      jti: createHash("sha256").update(refreshToken).digest().subarray(0, 16).toString("base64url"),
    });
    expect(refreshToken).toMatch(/^[\w-]{43}$/);
    expect((await service.logIn({ account })).refreshToken).not.toBe(refreshToken);
  });

  test("end together with a session that is shorter than an access token", async () => {
    const shortLived = service.createSandbox({ SESSION_MAX_AGE_SECONDS: "300" });
    const response = await shortLived.login({ body: { email, password } });
    expect(pairOf(response).claims.exp).toBe(clock.now + 300);
    expect(expectCookie(response)).toContain("; Max-Age=300");
  });
});

describe("the cookie of a login", () => {
  test("C20 E05 H15 is URL-encoded JSON with exactly these attributes", async () => {
    const line = expectCookie(await sandbox.login({ body: { email, password } }));
    const [cookie = "", ...attributes] = line.split("; ");
    expect(attributes).toEqual(["HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=86400"]);
    const value = JSON.parse(decodeURIComponent(cookie.replace(/^auth-cookie=/, "")));
    expect(Object.keys(value)).toEqual(["token", "refreshToken"]);
    expect(cookieOf(value)).toBe(cookie);
  });

  test("has at most 800 bytes with an Ed25519 key, an e-mail of 60 bytes and the __Host- prefix", async () => {
    const long = { email: `${"e".repeat(48)}@example.com`, password };
    expect(long.email).toHaveLength(60);
    await sandbox.register({ body: long });
    const prefixed = service.createSandbox({ COOKIE_NAME: "__Host-auth-cookie" });
    const line = expectCookie(await prefixed.login({ body: long }));
    expect(line).toMatch(/^__Host-auth-cookie=/);
    expect(line.length).toBeLessThanOrEqual(800);
  });

  test("C19 has at most 2,048 bytes with the longest e-mail and an RSA key", async () => {
    const email = `${"l".repeat(64)}@${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(61)}`;
    await sandbox.register({ body: { email, password } });
    const rsa = service.createSandbox(keySettings(createKey("RS256")));
    const line = expectCookie(await rsa.login({ body: { email, password } }));
    expect(line.length).toBeLessThanOrEqual(2_048);
  });

  test("has the attributes that the settings say", async () => {
    const configured = service.createSandbox({
      COOKIE_NAME: "session",
      COOKIE_SAME_SITE: "Lax",
      COOKIE_DOMAIN: "example.com",
      REFRESH_TOKEN_TTL_SECONDS: "3600",
    });
    const line = expectCookie(await configured.login({ body: { email, password } }));
    expect(line).toMatch(
      /^session=%7B%22token%22[^;]+; HttpOnly; Secure; SameSite=Lax; Path=\/; Max-Age=3600; Domain=example\.com$/,
    );
  });
});

test("a failure of ours says nothing but the request id, and is logged without the cookie", async () => {
  // No proxy between here and the browser takes such a line.
  const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
  const response = await broken.login({ body: { email, password } });
  expectProblem(response, { status: 500, code: "internal_error", detail: undefined });
  const [entry, ...others] = log.entries();
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ level: "ERROR", event: "failure", requestId: bodyOf(response).instance });
});

describe("a bearer client", () => {
  test.each(["bearer", "Bearer", "BEARER"])(
    "logs in with Auth-Mode: %s and gets the pair in the body",
    async (mode) => {
      const response = await sandbox.login({ body: { email, password }, headers: { "auth-mode": mode } });
      expect(response.cookies).toBeUndefined();
      const body = {
        msg: "success",
        token: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 900,
      };
      expectJson(response, 200, body);
      expect(decodeClaims(bodyOf(response).token).email).toBe(email);
    },
  );

  test("is refused with a mode that does not exist", async () => {
    await expectRefusal(
      () => sandbox.login({ body: { email, password }, headers: { "auth-mode": "cookie" } }),
      {
        status: 400,
        code: "invalid_auth_mode",
        detail: "Auth-Mode must be bearer; without the header a cookie is used.",
      },
    );
  });

  test("is refused when the auth cookie comes along", async () => {
    const { cookies } = await service.logIn();
    const headers = { "auth-mode": "bearer" };
    await expectRefusal(
      () => sandbox.login({ body: { email, password }, headers, cookies }),
      refusals.conflict,
    );
    for (const broken of ["auth-cookie=", "auth-cookie=x"]) {
      await expectRefusal(
        () => sandbox.login({ body: { email, password }, headers, cookies: [broken] }),
        refusals.conflict,
      );
    }
  });

  test("is refused when an Authorization header comes beside the auth cookie", async () => {
    const { cookies, token } = await service.logIn();
    const headers = { authorization: `Bearer ${token}` };
    await expectRefusal(
      () => sandbox.login({ body: { email, password }, headers, cookies }),
      refusals.conflict,
    );
  });
});

describe("a login is refused", () => {
  test("A01 with the same answer and the same requests for an unknown user and a wrong password", async () => {
    const attempts = [
      { email: (await service.register()).email, password: "not the right password" },
      { email: "nobody@example.com", password: "not the right password" },
    ];
    const answers = [];
    for (const body of attempts) {
      await expectRefusal(() => sandbox.login({ body }), refusals.loginFailed, [lookUp]);
      wire.forget();
      const response = await sandbox.login({ body });
      const sent = wire.requests.toSorted((a, b) => a.name.localeCompare(b.name));
      const size = sent.map(({ name, parameters }) => [
        name,
        JSON.stringify(parameters).replace(body.email, "").length,
      ]);
      answers.push([{ ...response, body: response.body?.replace(bodyOf(response).instance, "") }, size]);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test("with as much work for an unknown user as for a wrong password", async () => {
    const password = "not the right password";
    const { email } = await service.register();
    for (const address of [email, "unknown@example.com"]) {
      const body = { email: address, password };
      expectProblem(await expectHashes(1, () => sandbox.login({ body })), refusals.loginFailed);
    }
  });

  test.each([
    ["A16 in another case", (text: string) => text.toUpperCase()],
    ["A15 with a blank after it", (text: string) => `${text} `],
    ["A15 with a blank before it", (text: string) => ` ${text}`],
    ["without its last character", (text: string) => text.slice(0, -1)],
  ])("with the password %s", async (_, misspell) => {
    const { email, password } = await service.register();
    const body = { email, password: misspell(password) };
    await expectRefusal(() => sandbox.login({ body }), refusals.loginFailed, [lookUp]);
  });

  test("A11 with a password that differs after 72 bytes", async () => {
    const body = { email: "long.password@example.com", password: `${"p".repeat(72)}a` };
    await sandbox.register({ body });
    await expectRefusal(
      () => sandbox.login({ body: { ...body, password: `${"p".repeat(72)}b` } }),
      refusals.loginFailed,
      [lookUp],
    );
  });

  test.each([
    ["no password", { email }, "password is missing"],
    ["an empty password", { email, password: "" }, "password must have 1 to 256 characters"],
    [
      "a password of 257 characters",
      { email, password: "x".repeat(257) },
      "password must have 1 to 256 characters",
    ],
    ["a number for a password", { email, password: 1 }, "password must be a string"],
    [
      "an address that is none",
      { email: "ada", password },
      "email must be an e-mail address of at most 254 bytes, such as ada@example.com",
    ],
    ["a field too many", { email, password, remember: true }, "remember is not known"],
  ])("with %s", async (_, body, detail) => {
    const [field, ...rest] = detail.split(" ");
    await expectRefusal(() => sandbox.login({ body }), {
      status: 400,
      code: "invalid_body",
      detail,
      errors: [{ pointer: `#/${field}`, detail: rest.join(" ") }],
    });
  });

  test.each([
    ["too short", "fifteen-letters"],
    ["too long", "k".repeat(129)],
    ["empty", ""],
    ["sent twice", `${key}, ${key}`],
    ["with a blank inside", "sixteen characters and more"],
    ["with a backslash", "sixteen\\characters"],
    ["with a quote inside", 'sixteen"characters'],
    ["with an opening quote only", `"${key}`],
    ["in other letters", "ключ-ключ-ключ-ключ"],
  ])("with an Idempotency-Key that is %s", async (_, text) => {
    await expectRefusal(
      () => sandbox.login({ body: { email, password }, headers: { "idempotency-key": text } }),
      {
        status: 400,
        code: "invalid_idempotency_key",
        detail: 'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
      },
    );
  });
});

describe("a login succeeds", () => {
  test.each([
    ["A06 another case and blanks around it", ` ${email.toUpperCase()} `],
    [
      "A07 full-width letters",
      email.replace(/[a-z]/g, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0)),
    ],
  ])("with the e-mail address in %s", async (_, typed) => {
    const pair = pairOf(await sandbox.login({ body: { email: typed, password } }));
    expect(pair.claims.email).toBe(email);
  });

  test("A14 with a password typed on a system that composes its accents differently", async () => {
    const body = { email: "accents@example.com", password: "crème brûlée à la maison".normalize("NFC") };
    await sandbox.register({ body });
    for (const form of ["NFD", "NFKD"] as const) {
      const typed = { ...body, password: body.password.normalize(form) };
      expect(typed.password).not.toBe(body.password);
      expectCookie(await sandbox.login({ body: typed }));
    }
  });

  test("and marks the session keyed when it carries an Idempotency-Key, of 16 to 128 characters", async () => {
    for (const text of [key, `"${key}"`, "!#$%&'()*+-./:;<", "k".repeat(128)]) {
      expect((await service.findSession(await service.logIn({ key: text })))?.keyed).toBe(true);
    }
  });

  test("and cuts a long User-Agent, so that the session stays under 1 KB", async () => {
    const event = {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password }),
      requestContext: {
        http: { sourceIp: "2001:db8:85a3:1234:5678:8a2e:370:7334", userAgent: "M".repeat(5_000) },
      },
    };
    const stored = await service.findSession(pairOf(await sandbox.invoke("login", event)));
    expect(stored?.userAgent).toBe("M".repeat(256));
    expect(JSON.stringify(stored).length).toBeLessThan(1_024);
  });

  test("even if hashing the password again cannot be stored", async () => {
    const account = await service.register();
    const weak = hashWith(account.password, { memory: 8_192, passes: 1 });
    await database.change("users", { email: account.email }, { passwordHash: weak });
    wire.break("UpdateItem users", fail, { times: 3 });
    await service.logIn({ account });
    expect((await database.find("users", { email: account.email }))?.passwordHash).toBe(weak);
  });
});

describe("a stored password hash", () => {
  const salt = "c2FsdHNhbHRzYWx0c2FsdA";
  const tag = "A".repeat(43);

  test.each([
    ["demands 9 GB", `$argon2id$v=19$m=9999999,t=2,p=1$${salt}$${tag}`],
    ["demands a little too much memory", `$argon2id$v=19$m=262145,t=2,p=1$${salt}$${tag}`],
    ["demands too many passes", `$argon2id$v=19$m=262144,t=999,p=1$${salt}$${tag}`],
    ["demands too many lanes", `$argon2id$v=19$m=19456,t=2,p=99$${salt}$${tag}`],
    ["is of another kind", `$argon2i$v=19$m=19456,t=2,p=1$${salt}$${tag}`],
    ["is bcrypt's", "$2b$12$KIXQ4Q4Q4Q4Q4Q4Q4Q4Q4O4Q4Q4Q4Q4Q4Q4Q4Q4Q4Q4Q4Q4Q4Q4"],
    ["is empty", ""],
    ["is a password in plain text", "a password in plain text"],
  ])("that %s is refused without being computed", async (_, passwordHash) => {
    keepSecrets(passwordHash);
    const account = await service.register();
    await database.change("users", { email: account.email }, { passwordHash });
    const body = { email: account.email, password: account.password };
    await expectRefusal(() => sandbox.login({ body }), refusals.unavailable, [lookUp]);
    // Had it been computed, the function would have run out of time: that is a 503 too.
    const errors = log.entries().find(({ level }) => level === "ERROR")?.errors as { message: string }[];
    expect(errors[1]?.message).toMatch(/^a stored password hash /);
  });

  test.each(["passwordHash", "userId", "sessionEpoch", "sweptEpoch", "createdAt"])(
    "in an account without %s is not used",
    async (attribute) => {
      const account = await service.register();
      await database.change("users", { email: account.email }, { [attribute]: undefined });
      const body = { email: account.email, password: account.password };
      expectProblem(await sandbox.login({ body }), refusals.unavailable);
    },
  );
});
