import { describe, expect, test } from "@jest/globals";
import type { ProblemCode } from "../../lib/errors.ts";
import { type ApiResponse, securityHeaders } from "../../lib/http/response.ts";
import { externalIdentity } from "../../lib/providers/evidence.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { getSchema } from "../../openapi/document.ts";
import { type OperationName, operations } from "../../openapi/operations/index.ts";
import type { Operation } from "../../openapi/operations/operation.ts";
import { createAdministrator } from "../support/administrator.ts";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { description } from "../support/description.ts";
import { challengeOf, createDeviceKey } from "../support/device-key.ts";
import { type ClientRequest, exampleRequest, type RouteName, routeNames } from "../support/event.ts";
import { createSignIns, keptOf } from "../support/external.ts";
import { fail } from "../support/faults.ts";
import { createInvite } from "../support/invite.ts";
import { createHashKey, hashKeySettings } from "../support/keys.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { cookieOf, pairOf } from "../support/pair.ts";
import { createPasskey } from "../support/passkey.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { wire } = service;
const odd = await startOddProvider();
const providers = {
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "odd", clientId: "web", redirectUris: ["https://app.example.com/odd"], ...odd.endpoints },
    {
      ...{ id: "apple", clientId: "web", page: "https://app.example.com/apple" },
      redirectUris: ["https://auth.example.com/auth/external/apple/form"],
    },
  ]),
  PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret: "a-client-secret-of-odd" } }),
};
const sandbox = service.createSandbox(providers);
const closed = service.createSandbox({ ...providers, REGISTRATION: "closed" });
const limited = service.createSandbox({
  ...providers,
  LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1",
  REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "1",
  MAIL_LIMIT_PER_SOURCE_PER_HOUR: "1",
});

const keyless = service.createSandbox(hashKeySettings(createHashKey({ activeFrom: clock.now + 999_999 })));

/** The routes that are described, by the file of their function. */
const described = routeNames.flatMap((name) => {
  const operation: Operation | undefined = operations[name as OperationName];
  return operation ? [{ name, operation }] : [];
});

/** Somebody signed in. */
async function createCaller() {
  const account = await service.addAccount();
  return { account, ...(await service.logIn({ account })) };
}

/** Whoever asks for what is refused; where a refusal takes more than one request it is somebody new. */
const usual = await createCaller();
const lasting: ProblemCode[] = [
  ...["token_expired", "too_many_attempts", "email_changed_recently"],
  ...["insufficient_user_authentication", "second_factor_required", "invalid_otp", "session_key_required"],
] as ProblemCode[];

const addFactor = createAuthenticators(service);
const mailbox = await startMailbox(service);
/** What asks for the code that a route takes. */
const askedBy: Partial<Record<RouteName, RouteName>> = {
  resetPassword: "forgotPassword",
  confirmRegistration: "askRegistration",
  confirmLoginCode: "askLoginCode",
  confirmEmailChange: "askEmailChange",
};
const askedFor = new Map<string, { challenge: string; code: string }>();
const invite = createInvite(service);
const invited = new Map<string, string>();

const changesPasskeys = (name: RouteName) => /^(begin|add|rename|remove)Passkey$/.test(name);
const rpId = String(service.environment.PASSKEY_RP_ID);
const passkeyOf = ({ userId }: Account) => createPasskey({ userId, rpId, origin: `https://${rpId}` });

/** What a route about passkeys takes: the account has one already, where it is about one. */
async function askForPasskey(
  name: RouteName,
  { account, cookies }: Pick<typeof usual, "account" | "cookies">,
) {
  if (!changesPasskeys(name)) return {};
  await service.database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
  const { challenge } = bodyOf(await sandbox.beginPasskey({ cookies }));
  const body = { passkey: passkeyOf(account).create(challenge) };
  if (name === "beginPasskey") return { body: undefined };
  if (name === "addPasskey") return { body };
  const { passkeyId } = bodyOf(await sandbox.addPasskey({ cookies, body }));
  const pathParameters = { passkeyId };
  return name === "removePasskey" ? { pathParameters, body: undefined } : { pathParameters };
}

/** What a sign-in at a provider that was begun comes back with: of somebody new, or of whose account has the identity. */
async function returnFromProvider({ userId, email }: Account, claims: Claims = {}) {
  const { begin } = createSignIns(sandbox, "odd");
  const { cookies, state, nonce } = await begin();
  const sub = `sub-${userId}`;
  const code = odd.createCode(odd.claims(nonce, { sub, email, email_verified: true, ...claims }));
  return { pathParameters: { provider: "odd" }, cookies, body: { code, state } };
}

async function link({ userId }: Account): Promise<void> {
  const identity = externalIdentity(odd.issuer, `sub-${userId}`);
  await service.database.change("users", { userId }, { identityIds: new Set([identity]) });
  await service.database.put("identities", { identity, userId, createdAt: clock.now });
}

/** The end of a link of an identity that nobody has. */
async function returnToLink(cookies: string[]) {
  const pathParameters = { provider: "odd" };
  const begun = await sandbox.beginLink({ pathParameters, cookies });
  const { state, nonce } = bodyOf(begun);
  const code = odd.createCode(odd.claims(nonce, { sub: `linked-${state}` }));
  return { pathParameters, cookies: [...cookies, ...keptOf(begun)], body: { code, state } };
}

/** What a route about providers takes. */
async function askForProvider(
  name: RouteName,
  { account, cookies }: Pick<typeof usual, "account" | "cookies">,
): Promise<ClientRequest> {
  if (["beginLink", "linkIdentity", "unlinkIdentity"].includes(name)) {
    await service.database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
    if (name === "beginLink") return { pathParameters: { provider: "odd" }, body: undefined };
    const request = await returnToLink(cookies);
    if (name === "linkIdentity") return request;
    const { identityId } = bodyOf(await sandbox.linkIdentity(request));
    return { cookies, pathParameters: { identityId }, body: undefined };
  }
  if (name === "beginExternal") return { pathParameters: { provider: "odd" }, body: undefined };
  if (name === "formExternal")
    return { ...exampleRequest(name, cookies), pathParameters: { provider: "apple" } };
  if (name !== "finishExternal") return {};
  await link(account);
  return returnFromProvider(account);
}

/** The address that a code for a route is mailed to. */
const addressOf = (name: RouteName, { email }: Account) =>
  ["confirmRegistration", "confirmEmailChange", "acceptInvitation"].includes(name)
    ? `${name.toLowerCase()}.${email}`
    : email;

/** A challenge and its code, if the route takes one; one for each account, since refusals leave it good. */
async function askForCode(name: RouteName, { account, cookies }: Pick<typeof usual, "account" | "cookies">) {
  const asking = askedBy[name];
  if (!asking) return {};
  const email = addressOf(name, account);
  const known = askedFor.get(`${name} ${email}`);
  if (known) return known;
  const { password } = account;
  const request =
    name === "confirmEmailChange" ? { cookies, body: { newEmail: email, password } } : { body: { email } };
  const { challenge } = bodyOf(await sandbox[asking](request));
  const code = await mailbox.receiveCode(email);
  askedFor.set(`${name} ${email}`, { challenge, code });
  return { challenge, code };
}

/** The token that a route takes. */
async function findToken(name: RouteName, account: Account): Promise<string> {
  if (name === "undoEmailChange") return askForUndo();
  if (name !== "acceptInvitation") return "";
  const email = addressOf(name, account);
  if (!invited.has(email)) {
    await invite(email);
    await mailbox.deliver();
    invited.set(email, tokenMailedTo(email));
  }
  return invited.get(email) ?? "";
}

function tokenMailedTo(email: string): string {
  const mails = mailbox.sent.filter(({ to, link }) => to.includes(email) && link.includes("token="));
  return mails.at(-1)?.link.split("token=")[1] ?? "";
}

/** The token that undoes a change of address of somebody new. */
async function askForUndo(): Promise<string> {
  const { account, cookies } = await createCaller();
  const { userId, email } = account;
  // Only an address that is proven is told.
  await service.database.change("users", { userId }, { emailVerifiedAt: 1 });
  const body = await askForCode("confirmEmailChange", { account, cookies });
  await sandbox.confirmEmailChange({ cookies, body });
  await service.feed("events");
  await mailbox.deliver();
  return tokenMailedTo(email);
}

const isOfFactor = (name: RouteName) => /Totp|RecoveryCodes/.test(name);

/** What a route of the second factor takes: a proven address, an app that is being set up, or a session opened with one. */
async function createFactorRequest(
  name: RouteName,
  { account, cookies }: typeof usual,
): Promise<ClientRequest> {
  const { userId, email, password } = account;
  await service.database.change("users", { userId }, { emailVerifiedAt: 1 });
  if (name === "startTotp") return { cookies };
  if (name === "confirmTotp") {
    const { enrolment, secret } = bodyOf(await sandbox.startTotp({ cookies }));
    return { cookies, body: { enrolment, otp: codeOf(secret) } };
  }
  const { recoveryCodes } = await addFactor(account);
  const opened = await sandbox.login({ body: { email, password, otp: recoveryCodes[0] } });
  return { cookies: pairOf(opened).cookies };
}

const bindsDevices = service.createSandbox({ DEVICE_BOUND_SESSIONS: "on" });
/** What a browser sends that has just logged in. */
async function createProof({ email, password }: Account): Promise<ClientRequest> {
  const login = await bindsDevices.login({ body: { email, password } });
  return { cookies: pairOf(login).cookies, headers: createDeviceKey().bind(challengeOf(login) ?? "") };
}

/** What a route accepts of a caller. */
async function createRequest(
  name: RouteName,
  { account, cookies, key }: typeof usual,
): Promise<ClientRequest> {
  if (isOfFactor(name)) return createFactorRequest(name, { account, cookies, key } as typeof usual);
  const { email, password } = account;
  const newPassword = `${password} and more`;
  keepSecrets(newPassword);
  const proof = await askForCode(name, { account, cookies });
  const token = await findToken(name, account);
  // Of each address few mails may be asked for.
  const asked = { email: `${name.toLowerCase()}.${email}` };
  const bodies: Partial<Record<RouteName, object>> = {
    ...{ forgotPassword: asked, askRegistration: asked, askLoginCode: asked },
    register: { email: `new.${email}`, password },
    login: { email, password },
    resetPassword: { ...proof, newPassword },
    confirmRegistration: { ...proof, password },
    confirmLoginCode: proof,
    changePassword: { currentPassword: password, newPassword },
    askEmailChange: { newEmail: asked.email, password },
    confirmEmailChange: proof,
    undoEmailChange: { token, newPassword },
    acceptInvitation: { token, password },
    deleteAccount: { password },
  };
  const isOpen = operations[name as OperationName]?.needs === undefined;
  return {
    ...(isOpen ? {} : exampleRequest(name, cookies)),
    ...(bodies[name] && { body: bodies[name] }),
    ...(await askForPasskey(name, { account, cookies })),
    ...(await askForProvider(name, { account, cookies })),
    ...(await askAsAdmin(name, { account })),
    ...(name === "proveDevice" && (await createProof(account))),
    ...(name === "revokeSession" && { pathParameters: { sessionId: key.sessionId } }),
  };
}

/** Which routes an administrator asks, and about whom. */
const isOfAdmin = (name: RouteName) => operations[name as OperationName]?.route.includes(" /admin/") ?? false;
async function askAsAdmin(
  name: RouteName,
  { account }: Pick<typeof usual, "account">,
): Promise<ClientRequest> {
  if (!isOfAdmin(name)) return {};
  const user = await service.addAccount();
  await service.feed("events");
  const { cookies } = (await createAdministrator(service)).pair;
  if (name === "inviteUser") return { cookies, body: { email: `invited.${account.email}` } };
  if (name === "listUsers") return { cookies };
  return { cookies, pathParameters: { userId: user.userId } };
}

describe.each(described)("$operation.route ($name)", ({ name, operation }) => {
  const [answer] = operation.answers;
  if (answer)
    test("answers as it is described when all is well", async () => {
      const response = noted(await sandbox[name](await createRequest(name, await createCaller())));
      expect(response.statusCode).toBe(answer.status);
    });

  // A defect cannot be ordered.
  const codes = operation.problems.filter((code) => code !== "internal_error");
  if (codes.length === 0) return;
  test.each(codes)("may refuse with %s", async (code) => {
    const { code: answered, detail } = bodyOf(noted(await provoke(code, name)));
    expect(answered).toBe(code);
    details.push(withoutNumbers(`${code}: ${detail}`));
  });
});

test.each(["not_found", "method_not_allowed"] as const)("an unknown path or method is a %s", async (code) => {
  const path = code === "not_found" ? "/nowhere" : "/auth/login";
  const response = noted(await sandbox.notFound({ method: "GET", path }));
  expect(bodyOf(response).code).toBe(code);
  details.push(`${code}: ${bodyOf(response).detail}`);
});

test("the details in the examples are those that were answered", () => {
  const unseen: string[] = ["forbidden", "internal_error"];
  const examples = Object.values<{ value: { code: string; detail: string } }>(description.components.examples)
    .filter(({ value }) => !unseen.includes(value.code))
    .map(({ value }) => withoutNumbers(`${value.code}: ${value.detail}`));
  expect(examples.filter((example) => !details.includes(example))).toEqual([]);
});

test("a defect of ours is told without a word about it", async () => {
  const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
  expectProblem(noted(await broken.login(await createRequest("login", usual))), refusals.internalError);
});

test("H14 the security headers, and none that names a product, are on every response, whatever its status", () => {
  const statuses = new Set(answers.map(({ statusCode }) => statusCode));
  const expected = [200, 201, 202, 204, 303, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503];
  expect([...statuses].sort()).toEqual(expected);
  // Those that a response may have beside them are its description's: tests/support/description.ts looks at each.
  const { "cache-control": noStore, ...always } = securityHeaders;
  for (const { statusCode, headers } of answers) {
    expect(headers).toMatchObject(always);
    if (statusCode !== 200) expect(headers["cache-control"]).toBe(noStore);
    expect(
      Object.keys(headers).filter((name) => /^(server|via|x-(powered|amz|runtime).*)$/.test(name)),
    ).toEqual([]);
  }
});

test("H14 HSTS is for this host alone; for those below it, too, where the operator says so", async () => {
  const wide = service.createSandbox({ HSTS_INCLUDE_SUBDOMAINS: "on" });
  const { cookies } = await service.logIn();
  for (const [as, hsts] of [
    [sandbox, "max-age=63072000"],
    [wide, "max-age=63072000; includeSubDomains"],
  ] as const) {
    const responses = [await as.jwks(), await as.movies(), await as.refresh({ cookies }), await as.page()];
    expect(responses.map(({ headers }) => headers["strict-transport-security"])).toEqual(Array(4).fill(hsts));
  }
});

const answers: ApiResponse[] = [];
const noted = (response: ApiResponse) => answers[answers.push(response) - 1] as ApiResponse;
const details: string[] = [];
const withoutNumbers = (text: string) => text.replace(/\d+ s/, "n s");

/** Has a route refuse with this problem. */
async function provoke(code: ProblemCode, name: RouteName): Promise<ApiResponse> {
  // Who changes passkeys has just logged in.
  const isNew =
    lasting.includes(code) || isOfFactor(name) || /Passkeys?$|External$|Link$|[lL]inkIdentity$/.test(name);
  const caller = isNew ? await createCaller() : usual;
  const { userId } = caller.account;
  const change = (attributes: object) => service.database.change("users", { userId }, { ...attributes });
  const { token, cookies } = usual;
  const good = await createRequest(name, caller);
  const call = (more: ClientRequest = {}, as = sandbox) => as[name]({ ...good, ...more });
  const { email, password } = caller.account;
  const wrong = "not the right password";
  // The other way it asks for none of this.
  const exceptCurrent = name === "revokeAllSessions" ? { query: { except: "current" } } : {};
  const mistaken = {
    login: { email, password: wrong },
    changePassword: { currentPassword: wrong, newPassword: password },
    deleteAccount: { password: wrong },
    askEmailChange: { newEmail: email, password: wrong },
  }[name as string];

  // What a caller sends who proves nothing by a password.
  const {
    password: _,
    currentPassword: __,
    ...others
  } = (mistaken ? good.body : {}) as Record<string, string>;
  const unproven = name === "login" ? {} : others;

  switch (code) {
    case "invalid_body":
      return call({ body: name === "login" ? { email } : "{" });
    case "invalid_passkey":
      return call({ body: { ...unproven, ...(getSchema("PasskeyLogin").example as object) } });
    case "unknown_passkey": {
      const { challenge } = bodyOf(await sandbox.beginPasskeyLogin());
      return call({ body: { ...unproven, passkey: passkeyOf(caller.account).get(challenge) } });
    }
    case "too_many_passkeys": {
      const { passkeyId } = bodyOf(await sandbox.addPasskey(await createRequest("addPasskey", caller)));
      const { passkeys } = (await service.database.find("users", { userId })) as {
        passkeys: Record<string, object>;
      };
      const more = Array.from({ length: 10 }, (_, i) => [`${i}`.padEnd(22, "A"), passkeys[passkeyId]]);
      await change({ passkeys: Object.fromEntries(more) });
      return call();
    }
    case "last_sign_in_method":
      await change({ passwordHash: undefined });
      return call();
    case "invalid_code": {
      const { code } = good.body as { code: string };
      return call({
        body: { ...(good.body as object), code: `${code.slice(0, -1)}${code.endsWith("0") ? 1 : 0}` },
      });
    }
    case "code_expired": {
      const half = ["undoEmailChange", "acceptInvitation"].includes(name) ? "token" : "challenge";
      return call({ body: { ...(good.body as object), [half]: "none" } });
    }
    case "invalid_auth_mode":
      return call({ headers: { "auth-mode": "cookie" } });
    case "invalid_idempotency_key":
      return call({ headers: { "idempotency-key": "short" } });
    case "insufficient_user_authentication": {
      // A password counts whenever the login was.
      await change({ passwordHash: undefined });
      const request = { ...exceptCurrent, ...(mistaken && { body: unproven }) };
      return clock.runAt(clock.now + (isOfAdmin(name) ? 901 : 301), () => call(request));
    }
    case "invalid_session_key":
      return call({
        ...exceptCurrent,
        headers: { "session-key": "short" },
        ...(!isOfAdmin(name) && { cookies: (await createCaller()).cookies }),
      });
    case "session_key_required": {
      const sessionKey = createRefreshToken();
      if (isOfAdmin(name))
        return call({ cookies: (await createAdministrator(service, { sessionKey })).pair.cookies });
      if (name !== "deleteAccount")
        return call({ ...exceptCurrent, cookies: (await service.logIn({ sessionKey })).cookies });
      const { cookies } = await service.logIn({ sessionKey, account: caller.account });
      await change({ passwordHash: undefined });
      return call({ body: unproven, cookies });
    }
    case "invalid_device_proof":
      return call({ headers: {} });
    case "device_proof_required":
      if (name === "proveDevice") await call();
      else await service.database.change("sessions", caller.key, { deviceKey: "another" });
      return call({ headers: { "sec-secure-session-id": "auth" } });
    case "forbidden":
      return call({ cookies });
    case "own_account":
      return call({
        pathParameters: { userId: bodyOf(await sandbox.me({ cookies: good.cookies ?? [] })).sub },
      });
    case "account_disabled":
      await service.database.change("users", good.pathParameters ?? {}, { disabledAt: 1 });
      return call();
    case "invalid_cursor":
      return call({ query: { cursor: "x y" } });
    case "invalid_query":
      return call({ query: { except: "others", email: "others" } });
    case "conflicting_credentials":
      return call({ cookies, headers: { authorization: `Bearer ${token}` } });
    case "invalid_jwt_token":
    case "invalid_token":
      return call({ cookies: ["auth-cookie=x"] });
    case "invalid_refresh_token":
      return call({ cookies: [cookieOf({ token })] });
    case "token_expired":
      await sandbox.logout({ cookies: good.cookies ?? [] });
      return call(name === "proveDevice" ? { headers: { "sec-secure-session-id": "auth" } } : {});
    case "missing_credentials":
      return call({ cookies: [] });
    case "invalid_credentials":
      return call({ body: mistaken });
    case "cross_site_request":
      return call({ headers: { "sec-fetch-site": "cross-site" } });
    case "not_found":
      return call({
        pathParameters: {
          userId: "none",
          sessionId: "none",
          passkeyId: "none",
          provider: "none",
          identityId: "none",
        },
      });
    case "sign_in_over":
      return call({ cookies: name === "linkIdentity" ? caller.cookies : [] });
    case "sign_in_refused":
      return call({ body: { ...(good.body as object), code: "none" } });
    case "email_not_verified":
      return call(await returnFromProvider(caller.account, { sub: "new", email_verified: false }));
    case "identity_taken":
    case "too_many_identities": {
      const ids = Array.from({ length: 10 }, (_, i) => `external:${i}`);
      if (code === "too_many_identities") await change({ identityIds: new Set(ids) });
      else {
        const other = await createCaller();
        const sub = `linked-${(good.body as { state: string }).state}`;
        const identity = externalIdentity(odd.issuer, sub);
        const { userId } = other.account;
        await service.database.change("users", { userId }, { identityIds: new Set([identity]) });
        await service.database.put("identities", { identity, userId, createdAt: clock.now });
      }
      return call();
    }
    case "provider_unavailable":
      odd.answer("/token", { status: 500, body: {} });
      return call();
    case "email_taken":
      if (name === "finishExternal") return call(await returnFromProvider(caller.account, { sub: "new" }));
      if (name === "inviteUser") return call({ body: { email } });
      await sandbox.register({ body: { email: addressOf(name, caller.account), password } });
      return name === "register" ? call({ body: { email, password } }) : call();
    case "email_changed_recently": {
      await change({ undoUntil: clock.now + 60 });
      return call();
    }
    case "second_factor_required":
    case "invalid_otp": {
      if (name !== "confirmTotp") await addFactor(caller.account);
      return call({ body: { ...(good.body as object), ...(code === "invalid_otp" && { otp: "000000" }) } });
    }
    case "email_unproven":
    case "totp_not_enabled": {
      const { userId } = caller.account;
      await service.database.change("users", { userId }, { emailVerifiedAt: undefined, totp: undefined });
      return call();
    }
    case "registration_closed":
      if (name !== "finishExternal") return call();
      return call(
        await returnFromProvider({ ...caller.account, email: `new.${email}` }, { sub: "new" }),
        closed,
      );
    case "body_too_large":
      return call({ body: "x".repeat(16_385) });
    case "unsupported_media_type":
      return call({ body: "{}", headers: { "content-type": "text/plain" } });
    case "too_many_attempts":
      if (!mistaken) await addFactor(caller.account);
      for (let i = 0; i < 5; i++) await call({ body: mistaken ?? good.body });
      return call({ body: mistaken ?? good.body });
    case "too_many_requests": {
      if (name === "changePassword") {
        await change({ passwordChangedAt: clock.now });
        const refused = await call();
        await change({ passwordChangedAt: undefined });
        return refused;
      }
      await call({}, limited);
      return call({}, limited);
    }
    case "unavailable": {
      // Here no more is asked for than a key.
      if (name === "beginPasskeyLogin") return call({}, keyless);
      wire.break("", fail, { times: 99 });
      // Where no database is asked, only a clock that is slow is left.
      const receivedAt = clock.now;
      const isAsked = name !== "me" && name !== "movies";
      return isAsked ? call() : clock.runAt(receivedAt - 9_000, () => call({ receivedAt }));
    }
    default:
      throw new TypeError(`nothing here provokes ${code}`);
  }
}
