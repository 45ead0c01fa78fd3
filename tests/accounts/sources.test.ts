import { randomInt, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent, type RouteName } from "../support/event.ts";
import { gather, precededBy, throttle } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { expectSteps, lookUp, startService } from "../support/service.ts";

const service = await startService();
const { wire, database, expectRequests } = service;
const count = "UpdateItem attempts";
/** The sandboxes have the limits that hold when nothing is set. */
const createSandbox = () =>
  service.createSandbox({ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "", REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "" });
const sandbox = createSandbox();

const waiting = (what: string, seconds: number) => ({
  status: 429,
  code: "too_many_requests",
  detail: `Too many ${what} from this address. The next one is possible in ${seconds} s.`,
  headers: { "retry-after": String(seconds) },
});

/** What clients may send, and nobody believes. */
const forged = () => ({
  ...{ "x-forwarded-for": `203.0.113.${randomInt(256)}`, forwarded: `for=${randomUUID()}` },
  ...{ "cloudfront-viewer-address": `203.0.113.${randomInt(256)}:443`, "x-real-ip": "::1" },
});

/** Calls a route from an address, as the gateway saw it; whatever headers say. */
function call(
  route: RouteName,
  body: unknown,
  sourceIp: string | undefined,
  as = sandbox,
  headers: Record<string, string> = forged(),
) {
  const event = createEvent(route, { body, headers });
  const { http } = event.requestContext;
  return as.invoke(route, {
    ...event,
    requestContext: { ...event.requestContext, http: { ...http, sourceIp } },
  });
}

const guess = (sourceIp: string | undefined, as = sandbox, headers = forged()) => {
  const body = { email: `${randomUUID()}@example.com`, password: "some password of mine" };
  return call("login", body, sourceIp, as, headers);
};
const register = (sourceIp: string, as = sandbox) =>
  call("register", { email: `${randomUUID()}@example.com`, password: "some password of mine" }, sourceIp, as);

/** What a login sends beside the count of its source, and before it looks at the password. */
const find = "GetItem identities";
const put = "TransactWriteItems users identities";
const [, ...guessing] = lookUp;
let lastAddress = 0;
const newAddress = () => `198.51.100.${++lastAddress}`;

/** Goes to the start of a window. */
const goTo = (windowSeconds: number) => clock.advance(windowSeconds - (clock.now % windowSeconds));

describe("logins from one address", () => {
  test("A24 A25 are 20 in a minute, whatever the accounts, with one request more; the next minute has 20 again", async () => {
    const address = newAddress();
    goTo(60);
    for (let i = 0; i < 20; i++) {
      const response = await expectRequests([[count, find], ...guessing], () => guess(address));
      expectProblem(response, refusals.loginFailed);
    }
    clock.advance(18);
    const refused = () => guess(address);
    expectProblem(await expectRequests([[count, find]], refused), waiting("logins", 42));
    // For five seconds that is known without a write.
    expectProblem(await expectRequests([find], refused), waiting("logins", 42));
    clock.advance(5);
    expectProblem(await expectRequests([[count, find]], refused), waiting("logins", 37));
    expectProblem(await guess(newAddress()), refusals.loginFailed);
    clock.advance(37);
    expectProblem(await guess(address), refusals.loginFailed);
  });

  test("are counted across sandboxes and at once: of 60 logins 20 are looked at", async () => {
    const address = newAddress();
    goTo(60);
    const sandboxes = [sandbox, createSandbox(), createSandbox()];
    wire.break(count, gather(60), { times: 60 });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => guess(address, sandboxes[i % 3])));
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(40).fill(429)]);
  });

  test("that are refused count at no account: nobody locks one with them", async () => {
    const address = newAddress();
    const { email, password } = await service.addAccount();
    goTo(60);
    for (let i = 0; i < 20; i++) await guess(address);
    const rows = await database.scan("attempts");
    const wrong = { email, password: "not the right password" };
    for (let i = 0; i < 6; i++) {
      expectProblem(await call("login", wrong, address, createSandbox()), waiting("logins", 60));
    }
    expect(await database.scan("attempts")).toEqual(rows);
    expect((await call("login", { email, password }, newAddress())).statusCode).toBe(200);
  });

  test("are counted once, where the login has to start again", async () => {
    const { email, password, userId } = await service.addAccount();
    wire.break("GetItem users", (request) => request.deliver());
    wire.break(
      "GetItem users",
      precededBy(() => database.change("users", { userId }, { sessionEpoch: 1 })),
    );
    wire.forget();
    expect((await call("login", { email, password }, newAddress())).statusCode).toBe(200);
    // Its own count, and the account's in each of the two tries.
    expect(wire.names.filter((name) => name === count)).toHaveLength(3);
  });

  // What is one source is a table of lib/attempts/source-address.test.ts.
  test("of one IPv6 network, or without an address, share a count", async () => {
    goTo(60);
    for (let i = 0; i < 20; i++) {
      await guess(`2001:DB8:0:7::${i.toString(16)}`);
      await guess(undefined);
    }
    expectProblem(await guess("2001:db8:0:7:ffff:0:0:1"), waiting("logins", 60));
    expectProblem(await guess(undefined), waiting("logins", 60));
    expectProblem(await guess("2001:db8:0:8::1"), refusals.loginFailed);
  });

  test("of one network of 48 bits are eight times as many; what one of 64 is refused is none of them", async () => {
    const limited = service.createSandbox({ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "2" });
    const wait = waiting("logins", 60);
    goTo(60);
    for (let network = 0; network < 8; network++) {
      const from = (host: number) => guess(`2001:db8:9:${network}::${host}`, limited);
      for (let i = 0; i < 2; i++)
        expectProblem(
          await expectRequests([[count, count, find], ...guessing], () => from(i)),
          refusals.loginFailed,
        );
      expectProblem(await expectRequests([[count, find]], () => from(2)), wait);
      expectProblem(await expectRequests([find], () => from(3)), wait);
    }
    expectProblem(
      await expectRequests([[count, count, find]], () => guess("2001:db8:9:8::1", limited)),
      wait,
    );
    expectProblem(await expectRequests([find], () => guess("2001:db8:9:9::1", limited)), wait);
    expectProblem(await guess("2001:db8:a:8::1", limited), refusals.loginFailed);
  });

  test("are stored as a counter that names no address, and ends with its window", async () => {
    goTo(60);
    const before = new Set((await database.scan("attempts")).map(({ id }) => id));
    await guess("203.0.113.77");
    const rows = (await database.scan("attempts")).filter(({ id }) => !before.has(id));
    expect(rows).toContainEqual({
      id: expect.stringMatching(/^[\w-]{43}$/),
      count: 1,
      expiresAt: clock.now + 60,
    });
    expect(JSON.stringify(rows)).not.toContain("203.0");
  });

  test("that cannot be counted are a 503", async () => {
    wire.break(count, throttle, { times: 3 });
    expectProblem(await guess(newAddress()), refusals.unavailable);
    expectSteps(wire.names, [[count, count, count, find]]);
    expect(wire.appliedWrites).toEqual([]);
  });
});

describe("registrations from one address", () => {
  test("are five in an hour; what is refused costs no hash and no account", async () => {
    const address = newAddress();
    goTo(3_600);
    for (let i = 0; i < 5; i++) expect((await register(address)).statusCode).toBe(201);
    clock.advance(600);
    const refused = () => expectHashes(0, () => register(address));
    expectProblem(await expectRequests([count], refused), waiting("registrations", 3_000));
    expect((await register(newAddress())).statusCode).toBe(201);
    clock.advance(3_000);
    await expectRequests([count, put], async () => expect((await register(address)).statusCode).toBe(201));
  });

  test("that cannot be counted go on: they guess nothing", async () => {
    wire.break(count, throttle, { times: 3 });
    expect((await register(newAddress())).statusCode).toBe(201);
  });
});

test("a limit of 0 is none, and sends nothing", async () => {
  await expectRequests(lookUp, () => guess(newAddress(), service.sandbox));
  await expectRequests([put], () => register(newAddress(), service.sandbox));
});

// Who is believed what is a table of lib/http/client-ip.test.ts.
describe("behind a proxy that is trusted", () => {
  const [secret, next] = [randomUUID(), randomUUID()];
  keepSecrets(secret, next);
  const edge = "130.176.1.70";
  const settings = { TRUSTED_PROXY_SECRET: `${secret},${next}`, LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1" };
  const trusting = service.createSandbox(settings);
  const through = (viewer: string, proxySecret = secret) => ({
    ...forged(),
    ...{ "cloudfront-viewer-address": viewer, "x-proxy-secret": proxySecret },
  });

  test("A25 each client of an edge has a count of its own; who does not know the secret has the gateway's", async () => {
    goTo(60);
    const [a, b] = [newAddress(), newAddress()];
    expectProblem(await guess(edge, trusting, through(`${a}:46532`)), refusals.loginFailed);
    expectProblem(await guess(edge, trusting, through(`${a}:46533`, next)), waiting("logins", 60));
    expectProblem(await guess(edge, trusting, through(`${b}:46532`)), refusals.loginFailed);
    expectProblem(await guess(edge, trusting, through("nobody")), refusals.loginFailed);
    for (const headers of [through(newAddress(), randomUUID()), through(`${newAddress()}, ${newAddress()}`)])
      expectProblem(await guess(edge, trusting, headers), waiting("logins", 60));
  });

  test("the client is who the session names, and the log", async () => {
    const { email, password } = await service.addAccount();
    const header = { TRUSTED_PROXY_HEADER: "X-Client-Address" };
    const of = service.createSandbox({ ...settings, ...header });
    const headers = { ...through("198.51.100.250:1"), "x-client-address": "2001:db8:c::7" };
    const { cookies } = pairOf(await call("login", { email, password }, edge, of, headers));
    expect(log.entries().at(-1)).toMatchObject({ event: "authn_login_success", ip: "2001:db8:c::7" });
    const { body = "" } = await of.listSessions({ cookies });
    expect(JSON.parse(body).sessions).toMatchObject([{ ip: "2001:db8:c::7" }]);
  });
});
