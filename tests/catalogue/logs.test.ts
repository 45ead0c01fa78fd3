import { describe, expect, jest, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { SecurityEvent } from "../../lib/log.ts";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent, routeNames } from "../support/event.ts";
import { fail } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire } = service;
const account = await service.register();
const newPassword = "another private sentence";
keepSecrets(newPassword);
const wrong = ({ email }: Account) => sandbox.login({ body: { email, password: "not the right one" } });

/** How each event of the vocabulary comes about; the last call of each is what logs it. */
const occasions = {
  authn_login_success: async () => {
    const { email, password } = account;
    return sandbox.login({ body: { email, password } });
  },
  authn_login_fail: async () => wrong(await service.register()),
  authn_login_lock: async () => {
    const victim = await service.register();
    for (let i = 0; i < 5; i++) await wrong(victim);
    return wrong(victim);
  },
  authn_password_change: async () => {
    const own = await service.register();
    const { cookies } = await service.logIn({ account: own });
    return sandbox.changePassword({ cookies, body: { currentPassword: own.password, newPassword } });
  },
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
  authn_token_revoked: async () => {
    const { cookies, key } = await service.logIn();
    return sandbox.revokeSession({ cookies, pathParameters: { sessionId: key.sessionId } });
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
    const body = { email: "new.user@example.com", password: "a password of somebody new" };
    return sandbox.register({ body });
  },
  user_deleted: async () => {
    const own = await service.register();
    const { cookies } = await service.logIn({ account: own });
    return sandbox.deleteAccount({ cookies, body: { password: own.password } });
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
  const { email, password, userId } = await service.register();
  const body = { email, password };
  const first = pairOf(await sandbox.login({ body }));
  const second = await service.rotate(first);
  const { cookies } = second;
  for (const route of ["movies", "me", "listSessions", "exportAccount"] as const) {
    await sandbox[route]({ cookies });
    await sandbox[route]({ headers: { authorization: `Bearer ${second.token}` } });
  }
  await wrong({ email, password, userId });
  await sandbox.refresh({
    headers: { "auth-mode": "bearer" },
    body: { token: "x", refreshToken: "y", password },
  });
  await sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
  wire.break("UpdateItem sessions", fail, { times: 3 });
  await service.refresh(second);
  await service.refresh(first);
  await sandbox.logout({ cookies });
  const { passwordHash } = (await service.database.find("users", { email })) ?? {};
  const text = JSON.stringify(log.entries());
  const secrets = [
    ...[email, encodeURIComponent(email), password, newPassword, passwordHash, first.claims.sid],
    ...[first, second].flatMap(({ token, refreshToken, claims, cookies }) => [
      ...[token, token.split(".")[2], refreshToken, claims.jti, cookies[0]],
    ]),
  ];
  expect(log.entries().length).toBeGreaterThan(14);
  expect(text).toContain(userId);
  for (const secret of secrets) {
    expect(secret?.length).toBeGreaterThan(8);
    expect(text.includes(secret ?? "")).toBe(false);
  }
});

describe("G04 a request that wants to write lines of its own is one line", () => {
  const hostile = [
    ["CR LF", '\r\n{"level":"INFO","event":"authn_login_success"}\r\n'],
    ["ANSI escapes", "\u001b[31mred\u001b[2J\u001b]0;title\u0007\u009b1m"],
    ["JSON", '"}\n{"level":"INFO","event":"authn_login_success","userId":"admin"}'],
    ["other line ends", "a\u2028b\u2029c\u0085d\u000be\u000cf"],
    ["NUL and a lone surrogate", "\u0000\b\ud800"],
  ] as const;

  test.each(hostile)("%s", async (_, text) => {
    const write = jest.spyOn(process.stdout, "write").mockImplementation(() => true);
    try {
      for (const route of routeNames) {
        write.mockClear();
        const body = { email: `${text}@example.com`, password: text, [text]: text };
        const event = createEvent(route, {
          ...{ path: text, method: text, body, cookies: [`auth-cookie=${text}`, text] },
          headers: { "user-agent": text, "x-request-id": text, "idempotency-key": text, origin: text },
          pathParameters: { sessionId: text },
          query: { cursor: text },
        });
        const { http } = event.requestContext;
        const requestContext = {
          ...event.requestContext,
          http: { ...http, userAgent: text, sourceIp: text },
        };
        await sandbox.invoke(route, { ...event, routeKey: text, requestContext });
        const [[line = ""] = [], ...others] = write.mock.calls;
        expect([route, others]).toEqual([route, []]);
        expect(line).toMatch(/^[\x20-\x7e\xa0-\u2027\u202a-\uffff]*\n$/);
        expect(JSON.parse(String(line))).toMatchObject({ route: text, stage: "test" });
      }
    } finally {
      write.mockRestore();
    }
  });
});
