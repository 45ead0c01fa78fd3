import { randomUUID } from "node:crypto";
import { describe, expect, jest, test } from "@jest/globals";
import { createAlarms } from "../../build/operations/alarms.ts";
import { createDashboard } from "../../build/operations/dashboard.ts";
import type { SecurityEvent } from "../../lib/events.ts";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { createAdministrator } from "../support/administrator.ts";
import { bodyOf } from "../support/answer.ts";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { challengeOf, createDeviceKey } from "../support/device-key.ts";
import { createEvent, routeNames } from "../support/event.ts";
import { createSignIns } from "../support/external.ts";
import { fail } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { refuseMail, startMailbox } from "../support/mailbox.ts";
import { startOddProvider } from "../support/odd-provider.ts";
import { cookieOf, pairOf } from "../support/pair.ts";
import { createPasskey } from "../support/passkey.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire } = service;
const mailbox = await startMailbox(service);
const account = await service.addAccount();
const newPassword = "another private sentence";
keepSecrets(newPassword);
const wrong = ({ email }: Account) => sandbox.login({ body: { email, password: "not the right one" } });

const addFactor = createAuthenticators(service);
/** Somebody who has a second factor, with this code. */
async function logInWith(otp: { otp?: string }) {
  const { email, password, userId } = await service.addAccount();
  await addFactor({ userId });
  return sandbox.login({ body: { email, password, ...otp } });
}

/** Somebody signed in whose address is proven. */
async function createCaller() {
  const account = await service.addAccount();
  await service.database.change("users", { userId: account.userId }, { emailVerifiedAt: 1 });
  return { account, ...(await service.logIn({ account })) };
}
async function setFactorUp() {
  const { cookies } = await createCaller();
  const { enrolment, secret } = bodyOf(await sandbox.startTotp({ cookies }));
  return sandbox.confirmTotp({ cookies, body: { enrolment, otp: codeOf(secret) } });
}
async function openWithFactor() {
  const { account } = await createCaller();
  const { codeAt } = await addFactor(account);
  const { email, password } = account;
  return pairOf(await sandbox.login({ body: { email, password, otp: codeAt() } }));
}

const odd = await startOddProvider();
const signsInElsewhere = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "odd", clientId: "web", redirectUris: ["https://app.example.com/odd"], ...odd.endpoints },
  ]),
  PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret: "a-client-secret-of-odd" } }),
});
const bindsDevices = service.createSandbox({ DEVICE_BOUND_SESSIONS: "on" });
/** A browser that binds its key to a new session; with `isThief` somebody renews that without it. */
async function bindDevice({ isThief = false } = {}) {
  const { email, password } = await service.addAccount();
  const login = await bindsDevices.login({ body: { email, password } });
  const { cookies } = pairOf(login);
  const headers = createDeviceKey().bind(challengeOf(login) ?? "");
  const response = await bindsDevices.proveDevice({ cookies, headers });
  return isThief ? bindsDevices.refresh({ cookies }) : response;
}

/** Somebody whose passkey counts backwards. */
async function signInSuspect() {
  const own = await service.addAccount();
  const { userId } = own;
  await service.database.change("users", { userId }, { emailVerifiedAt: clock.now });
  const { cookies } = await service.logIn({ account: own });
  const rpId = String(service.environment.PASSKEY_RP_ID);
  const passkey = createPasskey({ userId, rpId, origin: `https://${rpId}` });
  const made = bodyOf(await sandbox.beginPasskey({ cookies }));
  const body = { passkey: passkey.create(made.challenge, { signCount: 7 }) };
  await sandbox.addPasskey({ cookies, body });
  const { challenge } = bodyOf(await sandbox.beginPasskeyLogin());
  return sandbox.login({ body: { passkey: passkey.get(challenge, { signCount: 6 }) } });
}

/** How each event of the vocabulary comes about; the last call of each is what logs it. */
const occasions = {
  authn_factor_added: () => setFactorUp(),
  authn_factor_removed: async () => {
    const { cookies } = await openWithFactor();
    return sandbox.disableTotp({ cookies });
  },
  authn_factor_missing: () => logInWith({}),
  authn_factor_fail: () => logInWith({ otp: "000000" }),
  authn_code_requested: () => sandbox.forgotPassword({ body: { email: "ada@example.com" } }),
  authn_login_success: async () => {
    const { email, password } = account;
    return sandbox.login({ body: { email, password } });
  },
  authn_login_fail: async () => wrong(await service.addAccount()),
  authn_login_lock: async () => {
    const victim = await service.addAccount();
    for (let i = 0; i < 5; i++) await wrong(victim);
    return wrong(victim);
  },
  authn_password_change: async () => {
    const own = await service.addAccount();
    const { cookies } = await service.logIn({ account: own });
    return sandbox.changePassword({ cookies, body: { currentPassword: own.password, newPassword } });
  },
  authn_device_bound: () => bindDevice(),
  authn_device_unproven: () => bindDevice({ isThief: true }),
  authn_passkey_suspect: () => signInSuspect(),
  authn_token_invalid: () => sandbox.movies({ cookies: ["auth-cookie=x"] }),
  authn_token_reuse: async () => {
    const first = await service.logIn();
    await service.rotate(first);
    clock.advance(10);
    return service.refresh(first);
  },
  authn_token_repeat_unproven: async () => {
    const first = await service.logIn();
    await service.rotate(first);
    return service.refresh(first);
  },
  authn_session_key_missing: async () => {
    const body = await service.addAccount();
    const headers = { "session-key": createRefreshToken() };
    const { email, password } = body;
    return service.refresh(pairOf(await sandbox.login({ body: { email, password }, headers })));
  },
  authn_token_revoked: async () => {
    const { cookies, key } = await service.logIn();
    return sandbox.revokeSession({ cookies, pathParameters: { sessionId: key.sessionId } });
  },
  authz_admin: async () => {
    const { userId } = await service.addAccount();
    const { cookies } = (await createAdministrator(service)).pair;
    return sandbox.disableUser({ cookies, pathParameters: { userId } });
  },
  authz_fail: () => sandbox.movies(),
  excess_rate_limit_exceeded: async () => {
    const limited = service.createSandbox({ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1" });
    const body = { email: "somebody@example.com", password: "not the right one" };
    await limited.login({ body });
    return limited.login({ body });
  },
  input_validation_fail: () => sandbox.login({ body: "{" }),
  malicious_cors: () => sandbox.logout({ headers: { "sec-fetch-site": "cross-site" } }),
  session_expired: async () => {
    const pair = await service.logIn();
    clock.advance(86_400);
    return service.refresh(pair);
  },
  session_logout: async () => sandbox.logout({ cookies: (await service.logIn()).cookies }),
  session_renewed: async () => service.refresh(await service.logIn()),
  user_created: () => {
    const body = { email: `${randomUUID().slice(0, 8)}@example.com`, password: "a password of somebody new" };
    return sandbox.register({ body });
  },
  user_deleted: async () => {
    const own = await service.addAccount();
    const { cookies } = await service.logIn({ account: own });
    return sandbox.deleteAccount({ cookies, body: { password: own.password } });
  },
  user_updated: async () => {
    const { email, password } = await service.addAccount();
    const { cookies } = pairOf(await sandbox.login({ body: { email, password } }));
    const { challenge } = bodyOf(
      await sandbox.askEmailChange({ cookies, body: { newEmail: email, password } }),
    );
    const { code } = await mailbox.receive();
    return sandbox.confirmEmailChange({ cookies, body: { challenge, code } });
  },
  failure: async () => {
    const pair = await service.logIn();
    wire.break("UpdateItem sessions", fail, { times: 3 });
    return service.refresh(pair);
  },
} satisfies Record<SecurityEvent, () => Promise<ApiResponse>>;

describe("G05 an event is one line that says when, what was asked, and what came of it", () => {
  test.each(Object.entries(occasions))("%s", async (event, occur) => {
    const { statusCode, ...response } = await occur();
    const entries = log.entries();
    expect(entries.filter((entry) => entry.event === event)).toEqual([entries.at(-1)]);
    const refusal = statusCode >= 400 ? bodyOf({ statusCode, ...response }) : undefined;
    expect(entries.at(-1)).toMatchObject({
      event,
      status: statusCode,
      stage: "test",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      requestId: refusal?.instance ?? expect.stringMatching(/^[0-9a-f-]{36}$/),
      route: expect.stringMatching(/^(GET|POST|DELETE) \/\S+$/),
      durationMs: expect.any(Number),
      ...(refusal && { code: refusal.code }),
    });
  });
});

test("G01 a whole life of an account leaves no credential, no address and no session id in the log", async () => {
  const { email, password, userId } = await service.addAccount();
  const body = { email, password };
  const first = pairOf(await sandbox.login({ body }));
  const second = await service.rotate(first);
  const { cookies } = second;
  for (const route of ["movies", "me", "listSessions", "exportAccount"] as const) {
    await sandbox[route]({ cookies });
    await sandbox[route]({ headers: { authorization: `Bearer ${second.token}` } });
  }
  await wrong({ email, password, userId });
  await sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
  wire.break("UpdateItem sessions", fail, { times: 3 });
  await service.refresh(second);
  await service.refresh(first);
  await sandbox.logout({ cookies });
  const { passwordHash } = (await service.database.find("users", { userId })) ?? {};
  const text = JSON.stringify(log.entries());
  // Passwords, tokens and keys are looked for at the end of every file (tests/support/log.ts).
  const secrets = [email, encodeURIComponent(email), passwordHash, first.claims.sid, first.claims.jti];
  expect(log.entries().length).toBeGreaterThan(13);
  expect(text).toContain(userId);
  for (const secret of secrets) {
    expect(secret?.length).toBeGreaterThan(8);
    expect(text.includes(secret ?? "")).toBe(false);
  }
});

test("G04 a request that wants to write lines of its own is one line, whatever route it asks", async () => {
  const text = '\r\n"}{"level":"INFO"}\u001b[2J\u0007\u009b1m\u2028\u2029\u0085\u000b\u0000\b\ud800';
  const write = jest.spyOn(process.stdout, "write").mockImplementation(() => true);
  try {
    for (const route of routeNames) {
      write.mockClear();
      const event = createEvent(route, {
        ...{ path: text, method: text, cookies: [`auth-cookie=${text}`, text] },
        body: { email: `${text}@example.com`, password: text, [text]: text },
        headers: { "user-agent": text, "x-request-id": text, "idempotency-key": text, origin: text },
        ...{ pathParameters: { sessionId: text }, query: { cursor: text } },
      });
      Object.assign(event.requestContext.http, { userAgent: text, sourceIp: text });
      await sandbox.invoke(route, { ...event, routeKey: text });
      const [[line = ""] = [], ...others] = write.mock.calls;
      expect([route, others]).toEqual([route, []]);
      expect(line).toMatch(/^[\x20-\x7e\xa0-\u2027\u202a-\uffff]*\n$/);
      expect(JSON.parse(String(line))).toMatchObject({ route: text, stage: "test" });
    }
  } finally {
    write.mockRestore();
  }
});

/** A metric in one text: namespace, name, dimensions with their values. */
const nameOf = (namespace: string, name: string, dimensions: unknown[][]) =>
  [namespace, name, ...dimensions.map(([dimension, value]) => `${dimension}=${value}`)].join(" ");

/** What alarms and dashboard watch of our own metrics. */
function findWatched(): string[] {
  const scope = {
    service: "service",
    stage: "test",
    topicArn: undefined,
    tables: [],
    fed: [],
    ...{ hasMail: true, hasProviders: true },
  };
  // As CloudFormation gets them: what is made for it has no types.
  const { alarms, dashboard } = JSON.parse(
    JSON.stringify({
      alarms: Object.values(createAlarms({ ...scope, mailsPerHour: 1 })),
      dashboard: createDashboard(scope),
    }),
  );
  const widgets: { properties: { metrics: string[][] } }[] = JSON.parse(
    dashboard.Dashboard.Properties.DashboardBody["Fn::Sub"],
  ).widgets;
  const shown = widgets.flatMap(({ properties }) =>
    properties.metrics.map(([namespace = "", name = "", ...rest]) => {
      // Dimensions and their values take turns; the options stand last.
      const pairs = rest
        .slice(0, -1)
        .flatMap((part, index, all) => (index % 2 ? [] : [[part, all[index + 1]]]));
      return nameOf(namespace, name, pairs);
    }),
  );
  const alarmed = alarms.map(({ Properties: { Namespace, MetricName, Dimensions } }: typeof alarms) =>
    nameOf(Namespace, MetricName, Dimensions.map(Object.values)),
  );
  return [...new Set<string>([...alarmed, ...shown])].filter((metric) => !metric.startsWith("AWS/"));
}

/** What CloudWatch would count of the lines that were written (embedded metric format). */
function findDeclared(): string[] {
  type Metrics = { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  return log.entries().flatMap((entry) =>
    ((entry._aws as { CloudWatchMetrics?: Metrics })?.CloudWatchMetrics ?? []).flatMap((counted) =>
      counted.Dimensions.flatMap((names) =>
        counted.Metrics.filter(({ Name }) => entry[Name] === 1).map(({ Name }) =>
          nameOf(
            counted.Namespace,
            Name,
            names.map((name) => [name, entry[name]]),
          ),
        ),
      ),
    ),
  );
}

test("whatever of ours alarms and dashboard watch is what the lines of real requests count", async () => {
  for (const occur of Object.values(occasions)) await occur();
  const { token, refreshToken } = await service.logIn();
  await sandbox.refresh({ cookies: [cookieOf({ token: "x", refreshToken })] });
  await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken: "x".repeat(43) })] });
  // No proxy between here and the browser takes a line of that length.
  const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
  await service.logIn({ account: await service.addAccount(), as: broken }).catch(() => undefined);

  const { begin, finish } = createSignIns(signsInElsewhere, "odd");
  for (const body of [{ error: "invalid_client" }, { error: "invalid_grant" }, {}]) {
    odd.answer("/token", { body });
    const { cookies, ...begun } = await begin();
    await finish({ ...begun, cookies: "error" in body ? cookies : [] }, { code: "tell-tale" });
  }
  const trouble = expect.objectContaining({ message: "the provider says invalid_client" });
  expect(log.entries().filter(({ provider }) => provider === "odd")).toMatchObject([
    { provider: "odd", code: "provider_unavailable", event: "failure", errors: [{}, trouble] },
    { provider: "odd", code: "sign_in_refused", event: "authn_login_fail" },
    { provider: "odd", code: "sign_in_over", event: "authn_login_fail" },
  ]);
  expect(JSON.stringify(log.entries())).not.toContain("tell-tale");

  for (const isRefused of [false, true]) {
    const { email } = await service.addAccount();
    if (isRefused) mailbox.ses.break("SendEmail", refuseMail(400, "MessageRejected"));
    await sandbox.forgotPassword({ body: { email } });
    await mailbox.deliver();
  }

  const watched = findWatched();
  expect(watched.length).toBeGreaterThan(8);
  expect(watched).toContain("ServerlessAuth Refusal stage=test code=internal_error");
  const declared = findDeclared();
  expect(watched.filter((metric) => !declared.includes(metric))).toEqual([]);
});
