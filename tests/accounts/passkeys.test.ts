import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import {
  bodyOf,
  expectJson,
  expectNoContent,
  expectProblem,
  invalidBody,
  refusals,
} from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { gather, loseAnswer, precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createPasskey, flags, type Quirks } from "../support/passkey.ts";
import { type Account, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const addFactor = createAuthenticators(service);
const rpId = String(service.environment.PASSKEY_RP_ID);
const origin = `https://${rpId}`;
const live = "GetItem sessions";
const look = "GetItem users";
const claim = "UpdateItem users";
/** The source is not counted where there is no limit of it. */
const signingIn: Step[] = [look, "PutItem sessions", claim];

const refused = (code: string, status: number, detail: string, headers = {}) => ({
  status,
  code,
  detail,
  headers,
});
const challenged = { "www-authenticate": "Bearer" };
const invalid = refused(
  "invalid_passkey",
  401,
  "The passkey was refused. Ask for a new challenge and try again.",
  challenged,
);
const unknown = refused(
  "unknown_passkey",
  401,
  "This passkey was removed from the account. Log in in another way.",
  challenged,
);
const lastOne = refused(
  "last_sign_in_method",
  409,
  "Nothing else opens the account. Set a password first (POST /auth/password/forgot), or add another passkey.",
);
const tooMany = refused("too_many_passkeys", 409, "The account has ten passkeys. Remove one of them first.");
const unproven = refused(
  "email_unproven",
  409,
  "The e-mail address of the account is not proven. Prove it first: POST /auth/email with that address.",
);
const notTrusted = {
  ...invalidBody(["passkey", "was refused. Ask for a new challenge and make the passkey again."]),
};

const userOf = ({ userId }: Pick<Account, "userId">) => database.find("users", { userId });
const make = (userId: string) => createPasskey({ userId, rpId, origin });
type TestPasskey = ReturnType<typeof make>;

async function registerProven(): Promise<Account> {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
  return account;
}

/** An account with a proven address, and a session of it. */
async function open() {
  const account = await registerProven();
  return { account, pair: await service.logIn({ account }) };
}

const begin = ({ cookies }: Pair) => sandbox.beginPasskey({ cookies });
async function add({ cookies }: Pair, passkey: TestPasskey, quirks?: Quirks): Promise<ApiResponse> {
  const { challenge } = bodyOf(await sandbox.beginPasskey({ cookies }));
  return sandbox.addPasskey({ cookies, body: { passkey: passkey.create(challenge, quirks) } });
}
const remove = ({ cookies }: Pair, passkeyId: string) =>
  sandbox.removePasskey({ cookies, pathParameters: { passkeyId } });
const list = ({ cookies }: Pair) => sandbox.listPasskeys({ cookies });

/** The body of a sign-in. */
async function assertBy(passkey: TestPasskey, quirks?: Quirks) {
  const { challenge } = bodyOf(await sandbox.beginPasskeyLogin());
  return { passkey: passkey.get(challenge, quirks) };
}
const signIn = (body: object, more: object = {}) => sandbox.login({ body, ...more });

/** An account with a passkey. */
async function openWithPasskey() {
  const { account, pair } = await open();
  const passkey = make(account.userId);
  const { passkeyId } = bodyOf(await add(pair, passkey));
  return { account, pair, passkey, passkeyId: String(passkeyId) };
}

test("a passkey is made, shown, opens a session, is renamed and removed", async () => {
  const { account, pair } = await open();
  const options = bodyOf(await expectRequests([live, look], () => begin(pair)));
  expect(options).toEqual({
    rp: { id: rpId, name: rpId },
    challenge: expect.stringMatching(/^[\w-]{43}$/),
    timeout: 600_000,
    user: {
      id: Buffer.from(account.userId).toString("base64url"),
      ...{ name: account.email, displayName: account.email },
    },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: [],
    authenticatorSelection: {
      ...{ residentKey: "required", requireResidentKey: true, userVerification: "required" },
    },
    attestation: "none",
  });
  const passkey = make(account.userId);
  const body = { passkey: passkey.create(options.challenge), name: " Ada's phone " };
  const added = await expectRequests([live, look, claim], () =>
    sandbox.addPasskey({ cookies: pair.cookies, body }),
  );
  const view = {
    ...{ passkeyId: expect.stringMatching(/^[\w-]{22}$/), credentialId: passkey.credentialId },
    ...{ name: "Ada's phone", createdAt: clock.now, lastUsedAt: null, isBackedUp: false },
    ...{ transports: ["internal"], aaguid: "0".repeat(32) },
  };
  expectJson(added, 201, view);
  const { passkeyId } = bodyOf(added);
  expect((await userOf(account))?.lastChange).toMatchObject({ event: "passkey_added", by: "user" });
  expectJson(await expectRequests([live, look], () => list(pair)), 200, {
    ...{ rpId, userHandle: options.user.id, passkeys: [view] },
  });
  expect(bodyOf(await begin(pair)).excludeCredentials).toEqual([
    { type: "public-key", id: passkey.credentialId, transports: ["internal"] },
  ]);

  clock.advance(60);
  const asked = bodyOf(await expectRequests([], () => sandbox.beginPasskeyLogin()));
  expect(asked).toEqual({
    ...{ challenge: expect.stringMatching(/^[\w-]{43}$/), rpId, timeout: 600_000 },
    ...{ allowCredentials: [], userVerification: "required" },
  });
  const opened = await expectRequests(signingIn, () => signIn({ passkey: passkey.get(asked.challenge) }));
  const own = pairOf(opened);
  expect(own.claims).toMatchObject({
    ...{ sub: account.userId, auth_time: clock.now, amr: ["pop", "user", "mfa"], acr: "aal2" },
  });
  expect(log.entries().at(-1)).toMatchObject({ event: "authn_login_success", userId: account.userId });
  expect((await service.refresh(own)).statusCode).toBe(200);
  expect(await userOf(account)).not.toHaveProperty("lastChange");

  const renamed = await expectRequests([live, claim], () =>
    sandbox.renamePasskey({ cookies: pair.cookies, pathParameters: { passkeyId }, body: { name: "Phone" } }),
  );
  expectJson(renamed, 200, { ...view, name: "Phone", lastUsedAt: clock.now });
  expectNoContent(await expectRequests([live, claim], () => remove(pair, passkeyId)));
  expect((await userOf(account))?.lastChange).toMatchObject({ event: "passkey_removed", by: "user" });
  expectJson(await list(pair), 200, { rpId, userHandle: options.user.id, passkeys: [] });
});

describe("sign-in with a passkey", () => {
  test("P02 the same answer opens one session; with its Idempotency-Key, after a lost answer, another", async () => {
    const { passkey } = await openWithPasskey();
    const body = await assertBy(passkey);
    expect((await signIn(body)).statusCode).toBe(200);
    await expectRefusal(() => signIn(body), invalid, [...signingIn, "DeleteItem sessions"]);
    const entry = log.entries().findLast(({ code }) => code === "invalid_passkey");
    expect(entry).toMatchObject({ event: "authn_login_fail", reason: "challenge used" });

    clock.advance(1);
    const headers = { "idempotency-key": randomUUID() };
    const again = await assertBy(passkey);
    const [first, second] = [await signIn(again, { headers }), await signIn(again, { headers })];
    expect(pairOf(first).key).not.toEqual(pairOf(second).key);
    const others = { headers: { "idempotency-key": randomUUID() } };
    expectProblem(await signIn(again, others), invalid);
  });

  test("50 parallel uses of one answer: one 200", async () => {
    const { account, passkey } = await openWithPasskey();
    const body = await assertBy(passkey);
    const responses = await Promise.all(Array.from({ length: 50 }, () => signIn(body)));
    const codes = responses.map(({ statusCode }) => statusCode);
    expect(codes.filter((code) => code === 200)).toHaveLength(1);
    expect(codes.filter((code) => code === 401)).toHaveLength(49);
    // The one it was added from, and the one it opened.
    expect(await database.sessionsOf(account.userId)).toHaveLength(2);
  });

  test("the SDK's own repeat of a claim whose answer was lost is no second use", async () => {
    const { passkey } = await openWithPasskey();
    wire.break(claim, loseAnswer);
    expect((await signIn(await assertBy(passkey))).statusCode).toBe(200);
  });

  test("of two ceremonies with one passkey the earlier challenge loses, if the later one was first", async () => {
    const { passkey } = await openWithPasskey();
    const earlier = await assertBy(passkey);
    clock.advance(1);
    expect((await signIn(await assertBy(passkey))).statusCode).toBe(200);
    expectProblem(await signIn(earlier), invalid);
  });

  test.each<[string, (passkey: TestPasskey) => Promise<object>, string]>([
    [
      "P03 after 601 s",
      async (passkey) => {
        const body = await assertBy(passkey);
        clock.advance(601);
        return body;
      },
      "challenge too old",
    ],
    [
      "P07 of another page",
      (passkey) => assertBy(passkey, { origin: "https://evil.example" }),
      "wrong origin",
    ],
    ["P09 without the user", (passkey) => assertBy(passkey, { clear: flags.verified }), "user not verified"],
    [
      "P10 of another domain",
      (passkey) => assertBy(passkey, { rpId: "example.org" }),
      "wrong domain of a passkey",
    ],
    [
      "P04 with a challenge beside the client data that is not the one in it",
      async (passkey) => {
        const { challenge } = bodyOf(await sandbox.beginPasskeyLogin());
        return { passkey: { ...passkey.get("A".repeat(43)), challenge } };
      },
      "wrong challenge",
    ],
  ])("%s is refused, without a request", async (_, createBody, reason) => {
    const { passkey } = await openWithPasskey();
    const body = await createBody(passkey);
    await expectRefusal(() => signIn(body), invalid);
    expect(log.entries().findLast(({ code }) => code === "invalid_passkey")?.reason).toBe(reason);
  });

  test("P16 a removed one is unknown; of nobody, of a disabled user, and with a wrong signature it is refused", async () => {
    const { account, pair, passkey, passkeyId } = await openWithPasskey();
    const other = await openWithPasskey();
    // Their own key, in the name of the other.
    const forged = await assertBy(other.passkey, { userHandle: account.userId });
    await expectRefusal(() => signIn(forged), unknown, [look]);
    const stolenId = await assertBy(other.passkey, {
      userHandle: account.userId,
      credentialId: Buffer.from(passkey.credentialId, "base64url"),
    });
    await expectRefusal(() => signIn(stolenId), invalid, [look]);
    const nobody = await assertBy(passkey, { userHandle: randomUUID() });
    await expectRefusal(() => signIn(nobody), invalid, [look]);
    expectNoContent(await remove(pair, passkeyId));
    const gone = await assertBy(passkey);
    await expectRefusal(() => signIn(gone), unknown, [look]);
    await database.change("users", { userId: other.account.userId }, { disabledAt: clock.now });
    const disabled = await assertBy(other.passkey);
    await expectRefusal(() => signIn(disabled), invalid, [look]);
  });

  test("a passkey that is removed while it signs in opens nothing", async () => {
    const { account, pair, passkey, passkeyId } = await openWithPasskey();
    const body = await assertBy(passkey);
    wire.break(
      "PutItem sessions",
      precededBy(() => remove(pair, passkeyId)),
    );
    expectProblem(await signIn(body), unknown);
    expect(await database.sessionsOf(account.userId)).toHaveLength(1);
  });

  test("one that races the end of all sessions starts again, and is alive after it", async () => {
    const { pair, passkey } = await openWithPasskey();
    const body = await assertBy(passkey);
    wire.break(
      "PutItem sessions",
      precededBy(() => sandbox.revokeAllSessions({ cookies: pair.cookies })),
    );
    const opened = pairOf(await signIn(body));
    expect((await service.refresh(opened)).statusCode).toBe(200);
  });

  test.each<[string, Quirks, Quirks, boolean]>([
    ["P13 suddenly to be backed up", {}, { set: flags.backupEligible }, true],
    ["P13 no longer to be backed up", { set: flags.backupEligible }, {}, true],
    ["P14 with a lower counter", { signCount: 7 }, { signCount: 5 }, true],
    ["P14 with a counter that is gone", { signCount: 5 }, { signCount: 0 }, true],
    ["P14 with a higher counter", { signCount: 5 }, { signCount: 6 }, false],
    ["P14 without counters", {}, {}, false],
  ])("%s is taken, and logged if it is suspect: %s", async (_, before, now, isSuspect) => {
    const { account, pair } = await open();
    const passkey = make(account.userId);
    await add(pair, passkey, before);
    expect((await signIn(await assertBy(passkey, now))).statusCode).toBe(200);
    const { event } = log.entries().at(-1) ?? {};
    expect(event).toBe(isSuspect ? "authn_passkey_suspect" : "authn_login_success");
  });

  test("P26 wrong passwords lock nobody out who has a passkey", async () => {
    const { account, passkey } = await openWithPasskey();
    const { email } = account;
    for (let i = 0; i < 6; i++) await sandbox.login({ body: { email, password: "not the right one" } });
    expectProblem(await sandbox.login({ body: { email, password: account.password } }), {
      ...refused("too_many_attempts", 429, expect.anything() as never),
      headers: { "retry-after": expect.any(String) as never },
    });
    expect((await signIn(await assertBy(passkey))).statusCode).toBe(200);
  });

  test("it ends the session that the browser had, and is known to the account afterwards", async () => {
    const { pair, passkey } = await openWithPasskey();
    const opened = await signIn(await assertBy(passkey), { cookies: pair.cookies });
    expect(opened.statusCode).toBe(200);
    await service.expectOver([pair]);
    expect(opened.cookies?.some((line) => line.startsWith("auth-cookie-device="))).toBe(true);
  });

  test("a bearer client gets the pair in the body", async () => {
    const { passkey } = await openWithPasskey();
    const response = await signIn(await assertBy(passkey), { headers: { "auth-mode": "bearer" } });
    expectJson(response, 200, {
      ...{ msg: "success", token: expect.any(String), refreshToken: expect.any(String), expiresIn: 900 },
      device: expect.any(String),
    });
    expect(response.cookies).toBeUndefined();
  });

  test("where there are no passkeys, the body is one without e-mail address and password", async () => {
    const without = service.createSandbox({ PASSKEY_RP_ID: "" });
    const { passkey } = await openWithPasskey();
    expectProblem(
      await without.login({ body: await assertBy(passkey) }),
      invalidBody(["email", "is missing"], ["password", "is missing"], ["passkey", "is not known"]),
    );
  });
});

describe("adding and removing", () => {
  test("P20 needs a live session, its pair, its Session-Key, and a login of the last 300 s", async () => {
    const { account, pair, passkeyId } = await openWithPasskey();
    const { challenge } = bodyOf(await begin(pair));
    const body = { passkey: make(account.userId).create(challenge) };
    const acts: ((request: object) => Promise<ApiResponse>)[] = [
      (request) => sandbox.addPasskey({ ...request, body: { ...body, ...bodyIn(request) } }),
      (request) => sandbox.removePasskey({ ...request, pathParameters: { passkeyId } }),
    ];
    const { passkeys } = (await userOf(account)) ?? {};
    for (const act of acts) {
      // A stolen access token has no refresh token.
      const bearer = { headers: { authorization: `Bearer ${pair.token}` } };
      await expectRefusal(() => act(bearer), refusals.invalidToken, [live]);
      await expectRefusal(() => act({}), refusals.noCredentials);
    }
    clock.advance(301);
    for (const act of acts) await expectRefusal(() => act({ cookies: pair.cookies }), refusals.notFresh);
    await expectRefusal(() => begin(pair), refusals.notFresh);
    expect((await userOf(account))?.passkeys).toEqual(passkeys);

    const headers = { "session-key": createRefreshToken() };
    const { email, password } = account;
    const bound = pairOf(await sandbox.login({ body: { email, password }, headers }));
    for (const act of acts)
      await expectRefusal(() => act({ cookies: bound.cookies }), refusals.sessionKeyRequired, [live]);
    const renewed = await service.rotate(bound, { sessionKey: headers["session-key"] });
    // A copy of the pair before.
    for (const act of acts)
      await expectRefusal(() => act({ cookies: bound.cookies, headers }), refusals.invalidToken, [live]);
    expect((await acts[0]?.({ cookies: renewed.cookies, headers }))?.statusCode).toBe(201);
    await sandbox.logout({ cookies: bound.cookies });
    for (const act of [...acts, () => begin(bound), () => list(bound)])
      await expectRefusal(() => act({ cookies: bound.cookies, headers }), refusals.invalidToken, [live]);
  });

  test("a bearer client sends its refresh token in the body", async () => {
    const { account } = await open();
    const { email, password } = account;
    const login = await sandbox.login({ body: { email, password }, headers: { "auth-mode": "bearer" } });
    const { token, refreshToken } = bodyOf(login);
    const headers = { authorization: `Bearer ${token}` };
    const { challenge } = bodyOf(await sandbox.beginPasskey({ headers }));
    const body = { passkey: make(account.userId).create(challenge), refreshToken };
    const added = await sandbox.addPasskey({ headers, body });
    expect(added.statusCode).toBe(201);
    const { passkeyId } = bodyOf(added);
    expectNoContent(
      await sandbox.removePasskey({ headers, pathParameters: { passkeyId }, body: { refreshToken } }),
    );
  });

  test("P21 ten are the most; two beside each other at nine make ten; two first ones are both there", async () => {
    const { account, pair } = await open();
    const both = async () => {
      const made = [make(account.userId), make(account.userId)];
      const challenges = await Promise.all(made.map(async () => bodyOf(await begin(pair)).challenge));
      const held = gather(2);
      wire.break(look, held, { times: 2 });
      return Promise.all(
        made.map((passkey, i) =>
          sandbox.addPasskey({ cookies: pair.cookies, body: { passkey: passkey.create(challenges[i]) } }),
        ),
      );
    };
    expect((await both()).map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    for (let count = 2; count < 9; count++) await add(pair, make(account.userId));
    const codes = (await both()).map(({ statusCode }) => statusCode).sort();
    expect(codes).toEqual([201, 409]);
    expect(Object.keys((await userOf(account))?.passkeys as object)).toHaveLength(10);
    await expectRefusal(() => begin(pair), tooMany, [live, look]);
  });

  test("P22 the same answer posted twice is one passkey; in another user's name it is refused", async () => {
    const { account, pair } = await open();
    const { challenge } = bodyOf(await begin(pair));
    const body = { passkey: make(account.userId).create(challenge) };
    const first = await sandbox.addPasskey({ cookies: pair.cookies, body });
    const second = await sandbox.addPasskey({ cookies: pair.cookies, body });
    expect([second.statusCode, bodyOf(second)]).toEqual([201, bodyOf(first)]);
    const stranger = await open();
    await expectRefusal(() => sandbox.addPasskey({ cookies: stranger.pair.cookies, body }), notTrusted, [
      live,
    ]);
  });

  test("P22 a stranger who registers the owner's credential id with a key of their own opens nothing of the owner's", async () => {
    const owner = await openWithPasskey();
    const stranger = await open();
    const credentialId = Buffer.from(owner.passkey.credentialId, "base64url");
    const own = make(stranger.account.userId);
    expect((await add(stranger.pair, own, { credentialId })).statusCode).toBe(201);
    const body = await assertBy(owner.passkey);
    expect(pairOf(await signIn(body)).key.userId).toBe(owner.account.userId);
    expectProblem(
      await signIn(await assertBy(own, { credentialId, userHandle: owner.account.userId })),
      invalid,
    );
  });

  test.each([
    ["no passkey", {}, invalidBody(["passkey", "is missing"])],
    ["a name of 65 characters", { name: "x".repeat(65) }, undefined],
    ["a name with a line break", { name: "a\u2028b" }, undefined],
    ["a passkey that is none", { passkey: { id: 1 } }, undefined],
    ["16 KB of CBOR", { passkey: answerOf(Buffer.alloc(11_000, 0x81)) }, notTrusted],
    ["a length beyond the end", { passkey: answerOf(Buffer.from([0x5b, 255, 255, 255, 255])) }, notTrusted],
  ])("%s is refused", async (_, change, refusal) => {
    const { account, pair } = await open();
    const { challenge } = bodyOf(await begin(pair));
    const passkey = make(account.userId).create(challenge);
    const body: Record<string, unknown> = Object.keys(change).length > 0 ? { passkey, ...change } : {};
    if ("passkey" in change && refusal) {
      const response = { ...passkey.response, ...(change.passkey as { response: object }).response };
      body.passkey = { ...passkey, response };
    }
    const response = await sandbox.addPasskey({ cookies: pair.cookies, body });
    expect(response.statusCode).toBe(400);
    if (refusal) expectProblem(response, refusal);
    expect(await userOf(account)).not.toHaveProperty("passkeys");
  });

  test("where mail is on, an address that nobody has proven gets none; where it is off, it does", async () => {
    const account = await service.addAccount();
    const pair = await service.logIn({ account });
    await expectRefusal(() => begin(pair), unproven, [live, look]);
    const without = service.createSandbox({ MAILS_TABLE: "" });
    const { challenge } = bodyOf(await without.beginPasskey({ cookies: pair.cookies }));
    const body = { passkey: make(account.userId).create(challenge) };
    await expectRefusal(() => sandbox.addPasskey({ cookies: pair.cookies, body }), unproven, [live, look]);
    expect((await without.addPasskey({ cookies: pair.cookies, body })).statusCode).toBe(201);
  });

  test("the last thing that opens the account stays: of two passkeys removed at once, one", async () => {
    const { account, pair, passkeyId } = await openWithPasskey();
    const second = bodyOf(await add(pair, make(account.userId))).passkeyId;
    await database.change("users", { userId: account.userId }, { passwordHash: undefined });
    wire.break(claim, gather(2), { times: 2 });
    const responses = await Promise.all([passkeyId, second].map((id) => remove(pair, id)));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([204, 409]);
    const [left = ""] = Object.keys((await userOf(account))?.passkeys as object);
    await expectRefusal(() => remove(pair, left), lastOne, [live, claim]);
  });

  test("what is not there is not renamed and not removed; a lost answer is known by its change", async () => {
    const { pair, passkeyId } = await openWithPasskey();
    const missing = refused("not_found", 404, "You have no such passkey.");
    await expectRefusal(() => remove(pair, "A".repeat(22)), missing, [live, claim]);
    for (const id of ["A".repeat(22), "__proto__", "x".repeat(2_000)]) {
      const rename = { cookies: pair.cookies, pathParameters: { passkeyId: id }, body: { name: "x" } };
      expectProblem(await sandbox.renamePasskey(rename), missing);
      expectProblem(await remove(pair, id), missing);
    }
    wire.break(claim, loseAnswer);
    expectNoContent(await remove(pair, passkeyId));
    expectProblem(await remove(pair, passkeyId), missing);
  });

  test("a session that was ended meanwhile changes nothing", async () => {
    const { account, pair, passkeyId } = await openWithPasskey();
    const { challenge } = bodyOf(await begin(pair));
    const body = { passkey: make(account.userId).create(challenge) };
    const end = precededBy(async () => {
      await database.change("users", { userId: account.userId }, { sessionEpoch: 9 });
    });
    wire.break(claim, end);
    expectProblem(await sandbox.addPasskey({ cookies: pair.cookies, body }), refusals.invalidToken);
    expectProblem(await remove(pair, passkeyId), refusals.invalidToken);
    expect(Object.keys((await userOf(account))?.passkeys as object)).toEqual([passkeyId]);
  });
});

test("an account with a second factor is changed by two factors alone: a passkey, or a password with its code", async () => {
  const { account, pair, passkey, passkeyId } = await openWithPasskey();
  const { challenge } = bodyOf(await begin(pair));
  const body = { passkey: make(account.userId).create(challenge) };
  await addFactor(account);
  const oneFactor = {
    ...refusals.notFresh,
    detail: "This needs a login with a code from your app, or with a passkey. Log in again.",
    headers: { "www-authenticate": 'Bearer error="insufficient_user_authentication", acr_values="aal2"' },
  };
  await expectRefusal(() => begin(pair), oneFactor, [live, look]);
  await expectRefusal(() => sandbox.addPasskey({ cookies: pair.cookies, body }), oneFactor, [live, look]);
  await expectRefusal(() => remove(pair, passkeyId), oneFactor, [live, claim]);
  const strong = pairOf(await signIn(await assertBy(passkey)));
  expect((await add(strong, make(account.userId))).statusCode).toBe(201);
  expectNoContent(await remove(strong, passkeyId));
});

test("P28 the user id is no address, and the same at each registration", async () => {
  const { account, pair } = await open();
  const [first, second] = [bodyOf(await begin(pair)), bodyOf(await begin(pair))];
  expect(Buffer.from(first.user.id, "base64url").toString()).toBe(account.userId);
  expect(second.user.id).toBe(first.user.id);
  expect(second.challenge).not.toBe(first.challenge);
});

test("other sites that may use the passkeys are named, cacheable", async () => {
  const also = service.createSandbox({ ALLOWED_ORIGINS: "https://app.example.org" });
  const response = await also.relatedOrigins();
  expect([response.statusCode, bodyOf(response)]).toEqual([
    200,
    { origins: [origin, "https://app.example.org"] },
  ]);
  expect(response.headers?.["cache-control"]).toContain("max-age=");
});

test.each([
  ["192.0.2.7", "must be a domain"],
  ["Example.com", "must be a domain"],
  ["com", "must be a domain"],
  ["example.org", "must be the host of ISSUER or a parent domain of it"],
  [`x.${rpId}`, "must be the host of ISSUER or a parent domain of it"],
])("P27 PASSKEY_RP_ID=%s does not start", async (value, fault) => {
  const started = service.createSandbox({ PASSKEY_RP_ID: value }).beginPasskeyLogin();
  await expect(started).rejects.toThrow(`PASSKEY_RP_ID ${fault}`);
});

function bodyIn(request: object): object {
  return "body" in request ? (request.body as object) : {};
}

/** A part of an answer with this attestation object. */
function answerOf(bytes: Buffer) {
  return { response: { attestationObject: bytes.toString("base64url") } };
}
