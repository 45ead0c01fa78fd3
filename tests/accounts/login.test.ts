import { argon2Sync, createHash, randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { fail, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { cookieOf, decodeClaims, pairOf } from "../support/pair.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { key } from "../support/rotations.ts";
import { logInSteps, lookUp, signingKey, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const account = await service.addAccount();
const { email, password } = account;

describe("POST /auth/login", () => {
  test("T03 opens a session and stores only a hash of its refresh token", async () => {
    const { email, password, userId } = await service.addAccount();
    const response = await expectRequests(logInSteps, () => sandbox.login({ body: { email, password } }));
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

  test("A27 A28 opens another session each time, and none for whoever's cookie was planted", async () => {
    const planted = await service.logIn();
    const { userId, ...body } = await service.addAccount();
    const first = pairOf(await sandbox.login({ body, cookies: planted.cookies }));
    const second = pairOf(await sandbox.login({ body }));
    expect(first.claims).toMatchObject({ sub: userId, email: body.email });
    const pairs = [planted, first, second];
    expect(new Set(pairs.map(({ claims }) => claims.sid)).size).toBe(3);
    expect(new Set(pairs.map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(await database.sessionsOf(userId)).toHaveLength(2);
  });

  describe("ends the browser's earlier session, so that no copy of its cookie lives on", () => {
    const steps = [...logInSteps, "DeleteItem sessions"];

    test("of the pair that it presents, expired or not, whoever's it is", async () => {
      const stranger = await service.logIn();
      const { userId, ...body } = await service.addAccount();
      clock.advance(1_000);
      const opened = pairOf(
        await expectRequests(steps, () => sandbox.login({ body, cookies: stranger.cookies })),
      );
      await service.expectOver([stranger]);
      await service.rotate(opened);
    });

    test("of the device entry, when the pair is gone", async () => {
      const { userId, ...body } = await service.addAccount();
      const { cookies = [] } = await sandbox.login({ body });
      const device = cookies
        .filter((line) => line.includes("-device="))
        .map((line) => line.split(";")[0] ?? "");
      expect(await database.sessionsOf(userId)).toHaveLength(1);
      const opened = pairOf(await expectRequests(steps, () => sandbox.login({ body, cookies: device })));
      const left = await database.sessionsOf(userId);
      expect(left.map(({ sessionId }) => sessionId)).toEqual([opened.key.sessionId]);
    });

    test("of a device entry that no longer counts as a known browser's, too", async () => {
      const { userId, ...body } = await service.addAccount();
      const { cookies = [] } = await sandbox.login({ body });
      const [pair = "", device = ""] = cookies.map((line) => line.split(";")[0] ?? "");
      // The response, with the entry of the new epoch, is lost.
      await sandbox.revokeAllSessions({ cookies: [pair, device], query: { except: "current" } });
      const opened = pairOf(await sandbox.login({ body, cookies: [device] }));
      const left = await database.sessionsOf(userId);
      expect(left.map(({ sessionId }) => sessionId)).toEqual([opened.key.sessionId]);
    });

    test("of three genuine pairs at most, and of none that is forged", async () => {
      const { account, pairs } = await service.open(4);
      const forged = `auth-cookie=${encodeURIComponent(JSON.stringify({ token: pairs[3].token, refreshToken: pairs[0].refreshToken }))}`;
      const { email, password } = account;
      const cookies = [forged, ...pairs.slice(0, 3).flatMap(({ cookies }) => cookies)];
      const opened = pairOf(await sandbox.login({ body: { email, password }, cookies }));
      await service.expectOver(pairs.slice(0, 3));
      await service.rotate(pairs[3]);
      await service.rotate(opened);
    });

    test("and stands if that cannot be acknowledged", async () => {
      const { account, pairs } = await service.open(1);
      const { email, password } = account;
      wire.break("DeleteItem sessions", fail, { times: 3 });
      const opened = pairOf(await sandbox.login({ body: { email, password }, cookies: pairs[0].cookies }));
      expect(log.entries().at(-1)).toMatchObject({
        level: "WARN",
        event: "authn_login_success",
        errors: expect.anything(),
      });
      await service.rotate(opened);
    });

    test("not after a login that was refused", async () => {
      const own = await service.logIn();
      const body = { email: "nobody@example.com", password: "some password of nobody" };
      expectProblem(await sandbox.login({ body, cookies: own.cookies }), refusals.loginFailed);
      await service.rotate(own);
    });
  });

  test("C27 deletes what an earlier COOKIE_DOMAIN left, where the browser has cookies of ours, before it sets new ones", async () => {
    const as = service.createSandbox({
      ...{ ISSUER: "https://auth.example.com", COOKIE_NAME: "session", COOKIE_DOMAIN: "example.com" },
    });
    const body = { email, password };
    const { cookies: [first] = [] } = await as.login({ body });
    expect(first).toMatch(/^session=%7B.*; Domain=example.com$/);
    const [pair] = (first ?? "").split(";");
    for (const cookies of [[`${pair}`, "session=of another scope"], ["session-device=x"]]) {
      const response = await as.login({ body, cookies });
      const line = "HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0";
      expect(response.cookies).toEqual([
        `session=; ${line}`,
        `session=; ${line}; Domain=auth.example.com`,
        `session-device=; ${line}`,
        `session-device=; ${line}; Domain=auth.example.com`,
        expect.stringMatching(/^session=%7B.*; Domain=example.com$/),
        expect.stringMatching(/^session-device=[^;].*; Domain=example.com$/),
      ]);
    }
  });

  test("C25 a cookie that any neighbour can set is not taken for a __Host- cookie", async () => {
    const as = service.createSandbox({ COOKIE_NAME: "__Host-auth-cookie" });
    const { cookies } = pairOf(await as.login({ body: { email, password } }));
    expect((await as.movies({ cookies })).statusCode).toBe(200);
    for (const blank of ["\u00a0", "\u2000", "\ufeff", "\v"])
      expectProblem(await as.movies({ cookies: [`${blank}${cookies}`] }), refusals.noCredentials);
  });

  test("marks the session keyed when it carries an Idempotency-Key, of 16 to 128 characters", async () => {
    for (const text of [`"${key}"`, "!#$%&'()*+-./:;<", "k".repeat(128)])
      expect((await service.findSession(await service.logIn({ key: text })))?.keyed).toBe(true);
  });

  test("cuts a long User-Agent, so that the session stays under 1 KB", async () => {
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

  test.each([
    ["A06 another case and blanks around it", ` ${email.toUpperCase()} `],
    [
      "A07 full-width letters",
      email.replace(/[a-z]/g, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0)),
    ],
  ])("takes the e-mail address in %s", async (_, typed) => {
    const pair = pairOf(await sandbox.login({ body: { email: typed, password } }));
    expect(pair.claims.email).toBe(email);
  });

  test("A14 takes a password typed on a system that composes its accents differently", async () => {
    const body = { email: "accents@example.com", password: "crème brûlée à la maison".normalize("NFC") };
    await sandbox.register({ body });
    expectCookie(await sandbox.login({ body: { ...body, password: body.password.normalize("NFKD") } }));
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

  test("C19 has at most 800 bytes with an Ed25519 key, an e-mail of 60 bytes and the __Host- prefix", async () => {
    const body = { email: `${"e".repeat(48)}@example.com`, password };
    const registered = await sandbox.register({ body });
    const prefixed = service.createSandbox({ COOKIE_NAME: "__Host-auth-cookie" });
    const line = expectCookie(await prefixed.login({ body }));
    expect(line).toMatch(/^__Host-auth-cookie=/);
    expect(line.length).toBeLessThanOrEqual(800);
    const { codeAt } = await createAuthenticators(service)({ userId: bodyOf(registered).userId });
    // With a second factor the token says so.
    const longer = expectCookie(await prefixed.login({ body: { ...body, otp: codeAt() } }));
    expect(longer.length).toBeLessThanOrEqual(850);
  });

  test("that no proxy would take is a failure of ours: it says nothing but the request id, in the log as well", async () => {
    const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
    const response = await broken.login({ body: { email, password } });
    expectProblem(response, refusals.internalError);
    const requestId = bodyOf(response).instance;
    expect(log.entries()).toMatchObject([{ level: "ERROR", event: "failure", requestId }]);
  });
});

describe("a bearer client", () => {
  const logIn = (mode: string, cookies: string[] = []) =>
    sandbox.login({ body: { email, password }, headers: { "auth-mode": mode }, cookies });

  test.each(["bearer", "BEARER"])(
    "logs in with Auth-Mode: %s and gets the pair in the body",
    async (mode) => {
      const response = await logIn(mode);
      expect(response.cookies).toBeUndefined();
      const tokens = { token: expect.any(String), refreshToken: expect.any(String), expiresIn: 900 };
      const device = expect.any(String);
      expectJson(response, 200, { msg: "success", ...tokens, device });
      expect(decodeClaims(bodyOf(response).token).email).toBe(email);
    },
  );

  test("is refused with a mode that does not exist", async () => {
    const detail = "Auth-Mode must be bearer; without the header a cookie is used.";
    await expectRefusal(() => logIn("cookie"), { status: 400, code: "invalid_auth_mode", detail });
  });

  test("is refused when the auth cookie comes along, and so is an Authorization header beside it", async () => {
    const { cookies, token } = await service.logIn();
    for (const sent of [cookies, ["auth-cookie="], ["auth-cookie=x"]])
      await expectRefusal(() => logIn("bearer", sent), refusals.conflict);
    const headers = { authorization: `Bearer ${token}` };
    await expectRefusal(
      () => sandbox.login({ body: { email, password }, headers, cookies }),
      refusals.conflict,
    );
  });
});

describe("a login is refused", () => {
  test("A01 A02 with the same answer, after the same requests and as much work, for an unknown user and a wrong password", async () => {
    const password = "not the right password";
    const answers = [];
    for (const email of [(await service.addAccount()).email, "nobody@example.com"]) {
      const logIn = () => sandbox.login({ body: { email, password } });
      await expectRefusal(() => expectHashes(1, logIn), refusals.loginFailed, lookUp);
      wire.forget();
      const { body = "", ...response } = await logIn();
      const sizes = wire.requests
        .map(({ name, parameters }) => `${name} ${JSON.stringify(parameters).replace(email, "").length}`)
        .sort();
      answers.push({ ...response, body: body.replace(JSON.parse(body).instance, ""), sizes });
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test("U02 into a disabled account, as with a wrong password, whatever the password", async () => {
    const { userId, ...body } = await service.addAccount();
    await database.change("users", { userId }, { disabledAt: clock.now });
    for (const typed of [body, { ...body, password: "not the right password" }]) {
      const logIn = () => expectHashes(1, () => sandbox.login({ body: typed }));
      await expectRefusal(logIn, refusals.loginFailed, lookUp);
    }
  });

  test("into an account without a password, as much as with a wrong one", async () => {
    const { userId, ...body } = await service.addAccount();
    await database.change("users", { userId }, { passwordHash: undefined });
    const logIn = () => expectHashes(1, () => sandbox.login({ body }));
    await expectRefusal(logIn, refusals.loginFailed, lookUp);
  });

  test.each([
    ["A16 in another case", (text: string) => text.toUpperCase()],
    ["A15 with a blank after it", (text: string) => `${text} `],
    ["A15 with a blank before it", (text: string) => ` ${text}`],
    ["A11 that differs after 72 bytes", (text: string) => `${text}x`],
  ])("with the password %s", async (_, misspell) => {
    const body = { email: `${randomUUID()}@example.com`, password: "long p".repeat(13) };
    await sandbox.register({ body });
    const typed = { ...body, password: misspell(body.password) };
    await expectRefusal(() => sandbox.login({ body: typed }), refusals.loginFailed, lookUp);
  });

  test.each<[string, object, [field: string, detail: string]]>([
    ["an empty password", { email, password: "" }, ["password", "must have 1 to 256 characters"]],
    [
      "an address that is none",
      { email: "ada", password },
      ["email", "must be an e-mail address of at most 254 bytes, such as ada@example.com"],
    ],
    ["a field too many", { email, password, remember: true }, ["remember", "is not known"]],
  ])("with %s", async (_, body, fault) => {
    await expectRefusal(() => sandbox.login({ body }), invalidBody(fault));
  });

  test("with an Idempotency-Key that is none, or two", async () => {
    for (const text of ["fifteen-letters", "k".repeat(129), `${key}, ${key}`]) {
      const headers = { "idempotency-key": text };
      await expectRefusal(() => sandbox.login({ body: { email, password }, headers }), refusals.invalidKey);
    }
  });
});

describe("a stored password hash", () => {
  /** Registers an account whose password is hashed with little work. */
  async function registerWeak() {
    const account = await service.addAccount();
    const [nonce, message] = [randomBytes(16), account.password];
    const tag = argon2Sync("argon2id", {
      message,
      nonce,
      memory: 64,
      passes: 1,
      parallelism: 1,
      tagLength: 32,
    });
    const [salt, hash] = [nonce, tag].map((bytes) => bytes.toString("base64").replaceAll("=", ""));
    const weak = `$argon2id$v=19$m=64,t=1,p=1$${salt}$${hash}`;
    await database.change("users", { userId: account.userId }, { passwordHash: weak });
    const findHash = async () => (await database.find("users", { userId: account.userId }))?.passwordHash;
    return { account, weak, findHash };
  }

  test("A32 that is weaker than today's is made anew at login, once", async () => {
    const { account, findHash } = await registerWeak();
    await expectRequests([...logInSteps, "UpdateItem users"], () => service.logIn({ account }));
    expect(await findHash()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const steps = [...lookUp, "DeleteItem attempts", ...logInSteps.slice(lookUp.length)];
    await expectRequests(steps, () => service.logIn({ account }));
  });

  test("of a password that was changed while the old one was hashed again is not put back", async () => {
    const { account, findHash } = await registerWeak();
    const passwordHash = (await registerWeak()).weak;
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId: account.userId }, { passwordHash })),
    );
    await service.logIn({ account });
    expect(await findHash()).toBe(passwordHash);
  });

  test("that cannot be stored anew does not stop a login", async () => {
    const { account, weak, findHash } = await registerWeak();
    wire.break("UpdateItem users", fail, { times: 3 });
    await service.logIn({ account });
    expect(await findHash()).toBe(weak);
  });

  // What a hash must look like is a table of lib/factors/password-hash.test.ts.
  test.each([
    ["demands 9 GB", `$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$${"A".repeat(43)}`],
    ["is a password in plain text", "a password in plain text"],
  ])("that %s is refused without being computed", async (_, passwordHash) => {
    keepSecrets(passwordHash);
    const { email, password, userId } = await service.addAccount();
    await database.change("users", { userId }, { passwordHash });
    const call = () => expectHashes(0, () => sandbox.login({ body: { email, password } }));
    await expectRefusal(call, refusals.internalError, lookUp);
    const errors = log.entries().find(({ level }) => level === "ERROR")?.errors as { message: string }[];
    expect(errors[1]?.message).toBe(`the user with userId "${userId}" is damaged: passwordHash`);
  });

  test.each(["email", "sessionEpoch", "sweptEpoch", "createdAt"])(
    "in an account without %s is not used",
    async (attribute) => {
      const { email, password, userId } = await service.addAccount();
      await database.change("users", { userId }, { [attribute]: undefined });
      expectProblem(await sandbox.login({ body: { email, password } }), refusals.internalError);
    },
  );
});
