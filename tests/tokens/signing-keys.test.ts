import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { hang, hold, loseRequest, throttle } from "../support/faults.ts";
import { createKey, publicKey, type TestKey } from "../support/keys.ts";
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
const account = await service.register();
const logIn = (as: Sandbox) => service.logIn({ as, account });
let secretId: string;

beforeEach(() => {
  secrets.mend();
  secretId = randomUUID();
  secrets.put(secretId, setOf(first));
});

// How long keys are kept, when they are read again and which of them sign is in lib/tokens/signing-keys.test.ts.
test("K09 a sandbox reads the keys once, and again after five minutes, and signs with a promoted key from its activeFrom on", async () => {
  const sandbox = createSandbox();
  const pair = await logIn(sandbox);
  await Promise.all([logIn(sandbox), logIn(sandbox)]);
  expect(secrets.names).toEqual(["GetSecretValue"]);
  const activeFrom = clock.now + 660;
  secrets.put(secretId, setOf(first, { ...second, activeFrom }));
  clock.advance(300);
  await Promise.all([logIn(sandbox), logIn(sandbox)]);
  expect(secrets.names).toHaveLength(2);
  await service.rotate(pair, { as: sandbox });
  expect(secrets.names).toHaveLength(3); // refresh is a sandbox of its own
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
  secrets.break("GetSecretValue", reading.fault);
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
    secrets.break("GetSecretValue", fault, { times: Number.POSITIVE_INFINITY });
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

test.each([
  ["changePassword", { currentPassword: "not the right password", newPassword: "another private sentence" }],
  ["deleteAccount", { password: "not the right password" }],
] as const)("%s, which only counts attempts, tries again, too", async (route, body) => {
  const { cookies } = await logIn(createSandbox());
  const sandbox = createSandbox();
  secrets.break("GetSecretValue", refuse("AccessDeniedException"), { times: 3 });
  expectProblem(await sandbox[route]({ cookies, body }), refusals.unavailable);
  secrets.mend();
  expectProblem(await sandbox[route]({ cookies, body }), refusals.wrongPassword);
});

test("register, too: it counts with the keys of the secret, and without them lets pass", async () => {
  const sandbox = createSandbox([first], { REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "5" });
  const { password } = account;
  const register = () => sandbox.register({ body: { email: `${randomUUID()}@example.com`, password } });
  secrets.break("GetSecretValue", refuse("AccessDeniedException"), { times: 3 });
  expect((await register()).statusCode).toBe(201);
  expect(service.wire.names).toEqual(["PutItem users"]);
  secrets.mend();
  service.wire.forget();
  expect((await register()).statusCode).toBe(201);
  expect(service.wire.names).toEqual(["UpdateItem attempts", "PutItem users"]);
});

/** A sandbox that reads the test's secret and knows the public halves of these keys. */
function createSandbox(published: TestKey[] = [first, second], overrides: Environment = {}): Sandbox {
  return service.createSandbox({
    ...overrides,
    JWT_SIGNING_KEYS: "",
    JWT_SIGNING_KEYS_SECRET: secretId,
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: published.map(publicKey) }),
  });
}

function kidOf({ token }: Pair): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}
