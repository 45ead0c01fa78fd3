import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { permissions } from "../support/declared.ts";
import { hang, hold, loseRequest, throttle } from "../support/faults.ts";
import { createHashKey, createKey, publicKey, type TestKey } from "../support/keys.ts";
import { log } from "../support/log.ts";
import type { Pair } from "../support/pair.ts";
import type { Environment, Sandbox } from "../support/sandbox.ts";
import { garble, refuse, startSecretsManager } from "../support/secrets-manager.ts";
import { startService } from "../support/service.ts";
import type { Fault } from "../support/wire.ts";

const service = await startService();
const secrets = await startSecretsManager();
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secrets.endpoint;
afterAll(() => secrets.stop());

const [first, second] = [createKey("EdDSA"), createKey("EdDSA")];
const setOf = (...keys: TestKey[]) => JSON.stringify({ keys });
const account = await service.addAccount();
const logIn = (as: Sandbox) => service.logIn({ as, account });
const newHashKeys = () => JSON.stringify({ keys: [createHashKey()] });
let [secretId, hashSecretId] = ["", ""];

beforeEach(() => {
  secrets.mend();
  [secretId, hashSecretId] = [`${randomUUID()}-signing-keys`, `${randomUUID()}-hash-keys`];
  secrets.put(secretId, setOf(first));
  secrets.put(hashSecretId, newHashKeys());
});

/** The readings of the signing keys. */
const readings = () => secrets.names.filter((name) => name === "GetSecretValue signing-keys");

// How long keys are kept and when they are read again is in lib/tokens/key-source.test.ts.
test("K09 a sandbox reads the keys once, and again after five minutes, and signs with a promoted key from its activeFrom on", async () => {
  const sandbox = createSandbox();
  const pair = await logIn(sandbox);
  await Promise.all([logIn(sandbox), logIn(sandbox)]);
  expect(secrets.names.toSorted()).toEqual(["GetSecretValue hash-keys", "GetSecretValue signing-keys"]);
  const activeFrom = clock.now + 660;
  secrets.put(secretId, setOf(first, { ...second, activeFrom }));
  clock.advance(300);
  await Promise.all([logIn(sandbox), logIn(sandbox)]);
  expect(readings()).toHaveLength(2);
  await service.rotate(pair, { as: sandbox });
  expect(readings()).toHaveLength(3); // refresh is a sandbox of its own
  clock.advance(359);
  expect(kidOf(await logIn(sandbox))).toBe(first.kid);
  clock.advance(1);
  expect(kidOf(await logIn(sandbox))).toBe(second.kid);
});

test("a sandbox reads the keys again beside the request to DynamoDB, not before it", async () => {
  const sandbox = createSandbox();
  const pair = await service.rotate(await logIn(sandbox), { as: sandbox });
  clock.advance(300);
  const reading = hold("request");
  secrets.break("GetSecretValue signing-keys", reading.fault);
  const refreshed = service.rotate(pair, { as: sandbox });
  await reading.arrived;
  while (service.wire.appliedWrites.at(-1) !== "UpdateItem sessions")
    await new Promise((resolve) => setImmediate(resolve));
  await reading.release();
  expect(kidOf(await refreshed)).toBe(first.kid);
});

describe("K07 K08 E10 without a key to sign with nothing is written, and the next request tries again", () => {
  test.each<[string, Fault]>([
    ["the store hangs", hang],
    ["the store is away", loseRequest],
    ["the store throttles", throttle],
    ["access is denied", refuse("AccessDeniedException")],
    ["there is no secret", refuse("ResourceNotFoundException")],
    ["the store's response is not JSON", garble],
  ])("%s", async (_, fault) => {
    const pair = await logIn(createSandbox());
    const sandbox = createSandbox();
    secrets.break("GetSecretValue signing-keys", fault, { times: Number.POSITIVE_INFINITY });
    service.wire.forget();
    log.clear();

    const login = sandbox.login({ body: { email: account.email, password: account.password } });
    for (const response of await Promise.all([login, service.refresh(pair, { as: sandbox })]))
      expectProblem(response, refusals.unavailable);
    expect(service.wire.names).toEqual([]);
    expect(log.entries().length).toBeGreaterThan(0);

    secrets.mend();
    await logIn(sandbox);
    await service.rotate(pair, { as: sandbox });
  });
});

describe("hash keys are a secret of their own", () => {
  const credentials = { email: account.email, password: account.password };
  const refused = (set: string) =>
    secrets.break(`GetSecretValue ${set}`, refuse("AccessDeniedException"), { times: 9 });

  test("deleteAccount counts with them and tries again when its first reading failed; it never asks for signing keys", async () => {
    const { cookies } = await logIn(createSandbox());
    const sandbox = createSandbox();
    const body = { password: "not the right password" };
    secrets.mend();
    refused("hash-keys");
    expectProblem(await sandbox.deleteAccount({ cookies, body }), refusals.unavailable);
    expect(readings()).toEqual([]);
    secrets.mend();
    expectProblem(await sandbox.deleteAccount({ cookies, body }), refusals.wrongPassword);
  });

  test.each(["hash-keys", "signing-keys"])("changePassword changes nothing without %s", async (set) => {
    const { cookies } = await logIn(createSandbox());
    const sandbox = createSandbox();
    const body = { currentPassword: account.password, newPassword: "another private sentence" };
    secrets.mend();
    secrets.break(`GetSecretValue ${set}`, refuse("AccessDeniedException"), { times: 9 });
    expectProblem(await sandbox.changePassword({ cookies, body }), refusals.unavailable);
    expect(service.wire.appliedWrites.filter((name) => name.endsWith("users"))).toEqual([]);
    secrets.mend();
    const wrong = { ...body, currentPassword: "not the right password" };
    expectProblem(await sandbox.changePassword({ cookies, body: wrong }), refusals.wrongPassword);
  });

  test("without them the end of all other sessions is a 503 that ends none", async () => {
    const { cookies, key } = await logIn(createSandbox());
    const sandbox = createSandbox();
    const query = { except: "current" };
    secrets.mend();
    refused("hash-keys");
    expectProblem(await sandbox.revokeAllSessions({ cookies, query }), refusals.unavailable);
    expect(service.wire.appliedWrites.filter((name) => name === "UpdateItem users")).toEqual([]);
    secrets.mend();
    const { statusCode, cookies: set = [] } = await sandbox.revokeAllSessions({ cookies, query });
    expect([statusCode, set.length]).toEqual([204, 1]);
    expect(set[0]).toContain(key.sessionId);
  });

  test("register counts with them, and without them lets pass; it never asks for signing keys", async () => {
    const sandbox = createSandbox([first], { REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "5" });
    const register = () =>
      sandbox.register({ body: { email: `${randomUUID()}@example.com`, password: account.password } });
    refused("hash-keys");
    expect((await register()).statusCode).toBe(201);
    expect(service.wire.names).toEqual(["TransactWriteItems users identities"]);
    secrets.mend();
    service.wire.forget();
    expect((await register()).statusCode).toBe(201);
    expect(service.wire.names).toEqual(["UpdateItem attempts", "TransactWriteItems users identities"]);
    expect(readings()).toEqual([]);
  });

  test("without them nobody logs in, and a session is renewed all the same: its line in the log lacks a name", async () => {
    const pair = await logIn(createSandbox());
    const sandbox = createSandbox();
    refused("hash-keys");
    service.wire.forget();
    expectProblem(await sandbox.login({ body: credentials }), refusals.unavailable);
    expect(service.wire.names).toEqual([]);
    log.clear();
    await service.rotate(pair, { as: sandbox });
    const [line] = log.entries().filter(({ route }) => route === "POST /auth/refresh");
    expect(line).toMatchObject({ status: 200, userId: account.userId });
    expect(line).not.toHaveProperty("sessionHash");
  });

  test("a leaked one is worthless five minutes after it was taken out: a browser that it knew is a new one", async () => {
    const sandbox = createSandbox();
    const { cookies = [] } = await sandbox.login({ body: credentials });
    const device = cookies
      .map((cookie) => cookie.split(";")[0] ?? "")
      .filter((cookie) => cookie.includes("device"));
    const rowOf = async (as = sandbox) => {
      service.wire.forget();
      await as.login({ body: credentials, cookies: device });
      return service.wire.requests.find(({ name }) => name === "UpdateItem attempts")?.parameters.Key.id;
    };
    const known = await rowOf();
    secrets.put(hashSecretId, newHashKeys());
    clock.advance(299);
    expect(await rowOf()).toEqual(known);
    clock.advance(1);
    const unknown = await rowOf();
    expect(unknown).not.toEqual(known);
    service.wire.forget();
    await sandbox.login({ body: credentials });
    expect(
      service.wire.requests.find(({ name }) => name === "UpdateItem attempts")?.parameters.Key.id,
    ).toEqual(unknown);
  });
});

test("every function that may read a secret reads it when it starts, and no other", async () => {
  const codeSecretId = `${randomUUID()}-code-keys`;
  secrets.put(codeSecretId, newHashKeys());
  const providerSecretId = `${randomUUID()}-provider-keys`;
  secrets.put(providerSecretId, JSON.stringify({ google: { clientSecret: "secret-of-google" } }));
  const sandbox = createSandbox(undefined, {
    ...{ CODE_KEYS: "", CODE_KEYS_SECRET: codeSecretId },
    ...{ PROVIDER_KEYS: "", PROVIDER_KEYS_SECRET: providerSecretId },
  });
  for (const [name, granted] of Object.entries(permissions)) {
    // Factor keys are read when somebody comes with a code of a second factor: tests/factors/keys.test.ts.
    const read = granted.filter((permission) => /^GetSecretValue (?!factor)/.test(permission));
    if (read.length === 0) continue;
    secrets.forget();
    const call = sandbox[name as "login"] ?? (() => sandbox.feed(name, { Records: [] }));
    await call();
    // The keys are on their way when a refusal is answered that needs none.
    while (!read.every((each) => secrets.names.includes(each))) await setImmediate();
    expect([name, ...new Set(secrets.names.toSorted())]).toEqual([name, ...read.toSorted()]);
  }
});

/** A sandbox that reads the test's secret and knows the public halves of these keys. */
function createSandbox(published: TestKey[] = [first, second], overrides: Environment = {}): Sandbox {
  return service.createSandbox({
    ...overrides,
    JWT_SIGNING_KEYS: "",
    HASH_KEYS: "",
    HASH_KEYS_SECRET: hashSecretId,
    JWT_SIGNING_KEYS_SECRET: secretId,
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: published.map(publicKey) }),
  });
}

function kidOf({ token }: Pair): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}
