import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, expect } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { type Consumer, createConsumer, createStreamReader, listFeeds } from "../../local/stream-consumer.ts";
import { expectProblem, type Refusal, refusals } from "./answer.ts";
import { clock } from "./clock.ts";
import { type Database, type Item, startDatabase } from "./database.ts";
import { declared, routesWithoutPage, tableSettings } from "./declared.ts";
import {
  codeKeySettings,
  createHashKey,
  createKey,
  factorKeySettings,
  hashKeySettings,
  keySettings,
} from "./keys.ts";
import { keepSecrets, log } from "./log.ts";
import { type Pair, pairOf } from "./pair.ts";
import { createSandbox, type Environment, type Sandbox } from "./sandbox.ts";
import { startWire } from "./wire.ts";

export interface Account {
  email: string;
  password: string;
  userId: string;
}

interface CallOptions {
  key?: string | undefined;
  /** Sent as Idempotency-Key-Previous. */
  previousKey?: string;
  /** Sent as Session-Key. */
  sessionKey?: string | undefined;
  as?: Sandbox | undefined;
}

/** A request to DynamoDB by its name, or several that are sent beside one another. */
export type Step = string | string[];

/** What a login sends before it looks at the password. */
export const lookUp: Step[] = ["GetItem identities", ["GetItem users", "UpdateItem attempts"]];

export const logInSteps: Step[] = [...lookUp, "PutItem sessions", "GetItem users"];

/** What is sent before the password of a live session's user is looked at. */
export const proof: Step[] = ["GetItem users", "UpdateItem attempts"];

/** Asserts that requests were sent in these steps; those of an inner list in any order. */
export function expectSteps(names: string[], steps: Step[]): void {
  let end = 0;
  const found = steps.flatMap((step) => {
    const start = end;
    end += [step].flat().length;
    return names.slice(start, end).toSorted();
  });
  expect([...found, ...names.slice(end)]).toEqual(steps.flatMap((step) => [step].flat().toSorted()));
}

export type Service = Awaited<ReturnType<typeof startService>>;

/** The key that signs the tokens of every test that asks for no other. */
export const signingKey = createKey("EdDSA");

const hashKey = createHashKey();
const codeKey = createHashKey();
const factorKey = createHashKey();

/** A provider that no test reaches: those that do start one of their own. */
export const providerSettings = {
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "google", clientId: "web", redirectUris: ["https://app.example.com/signed-in/google"] },
  ]),
  PROVIDER_KEYS: JSON.stringify({ google: { clientSecret: "a-client-secret-of-google" } }),
};
keepSecrets("a-client-secret-of-google");

// The SDK reads these when it first sends, not at import.
Object.assign(process.env, {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test-secret-access-key",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
});
keepSecrets("test-secret-access-key");

/** Starts a wire, and a database if none is given; they end with the test file. */
export async function startService(given?: Database) {
  const database = given ?? (await startDatabase());
  const wire = await startWire(database);
  beforeEach(() => {
    wire.mend();
    wire.forget();
    log.clear();
  });
  afterAll(async () => {
    await wire.stop();
    if (!given) await database.stop();
  });

  const environment: Environment = {
    STAGE: "test",
    ISSUER: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com",
    AUDIENCE: "api",
    CLIENT_ID: "web",
    ...tableSettings,
    // All requests of a test file come from one address.
    LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "0",
    REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "0",
    MAIL_LIMIT_PER_SOURCE_PER_HOUR: "0",
    MAIL_FROM: "auth@example.com",
    MAIL_LINK: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/",
    SES_CONFIGURATION_SET: "auth",
    PASSKEY_RP_ID: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
    ...providerSettings,
    ROUTES: routesWithoutPage.join(","),
    ...keySettings(signingKey),
    ...hashKeySettings(hashKey),
    ...codeKeySettings(codeKey),
    ...factorKeySettings(factorKey),
    DYNAMODB_ENDPOINT: wire.endpoint,
    // Nothing is too slow by chance: a test of what is too slow sets its own limit.
    DYNAMODB_TIMEOUT_MS: "10000",
    PROVIDER_TIMEOUT_MS: "60000",
  };
  const sandbox = createSandbox(environment);
  const consumers: Record<string, Consumer[]> = {};
  let control: Pair | undefined;
  let registered: Promise<Account> | undefined;
  const own = () => (registered ??= service.register());
  let model: Promise<{ password: string; item: Item }> | undefined;

  async function createModel() {
    const { password, userId } = await service.register();
    return { password, item: (await database.find("users", { userId })) ?? {} };
  }

  const service = {
    database,
    wire,
    environment,
    sandbox,

    /** A sandbox that gives up an attempt of a request after two seconds; all others wait for ten. */
    impatient: createSandbox({ ...environment, DYNAMODB_TIMEOUT_MS: "2000" }),

    createSandbox(overrides: Environment = {}): Sandbox {
      // Passkeys belong to the host of the issuer.
      const rpId = overrides.ISSUER && { PASSKEY_RP_ID: new URL(overrides.ISSUER).hostname };
      return createSandbox({ ...environment, ...rpId, ...overrides });
    },

    async register(): Promise<Account> {
      const email = `${randomUUID().slice(0, 13)}@example.com`;
      const body = { email, password: `correct horse ${randomUUID()}` };
      const response = await sandbox.register({ body });
      if (response.statusCode !== 201) throw new Error(`no account: ${response.statusCode} ${response.body}`);
      return { ...body, userId: JSON.parse(response.body ?? "").userId };
    },

    /** Another account, past the service: all of them have the password of one that was registered, since hashing takes long. */
    async addAccount(): Promise<Account> {
      model ??= createModel();
      const { password, item } = await model;
      const email = `${randomUUID().slice(0, 13)}@example.com`;
      const own = { email, userId: randomUUID(), createdAt: clock.now };
      await database.put("users", { ...item, ...own, lastChange: { ...item.lastChange, at: clock.now } });
      const { userId, createdAt } = own;
      await database.put("identities", { identity: `email:${email}`, userId, createdAt });
      return { email, password, userId };
    },

    /** Logs in, with the file's own account if no other is named. */
    async logIn({ as = sandbox, account, ...keys }: CallOptions & { account?: Account } = {}): Promise<Pair> {
      const { email, password } = account ?? (await own());
      return pairOf(await as.login({ body: { email, password }, headers: keyHeaders(keys) }));
    },

    refresh(pair: Pair, { as = sandbox, ...keys }: CallOptions = {}): Promise<ApiResponse> {
      return as.refresh({ cookies: pair.cookies, headers: keyHeaders(keys) });
    },

    rotate: async (pair: Pair, options?: CallOptions): Promise<Pair> =>
      pairOf(await service.refresh(pair, options)),

    /** Adds an account and opens this many sessions, each a second younger than the one before. */
    async open<const Count extends number>(count: Count): Promise<{ account: Account; pairs: Pairs<Count> }> {
      const account = await service.addAccount();
      const pairs: Pair[] = [];
      while (pairs.length < count) {
        clock.advance(1);
        pairs.push(await service.logIn({ account }));
      }
      return { account, pairs: pairs as Pairs<Count> };
    },

    /** Asserts that nothing is left of the sessions of pairs. */
    async expectOver(pairs: Pair[], options?: CallOptions): Promise<void> {
      for (const pair of pairs) {
        expectProblem(await service.refresh(pair, options), refusals.tokenExpired);
        expect(await service.findSession(pair)).toBeUndefined();
      }
    },

    /**
     * Hands to a function what came into the streams that feed it, as Lambda does; answers whether all of it is done. What
     * is not comes again at the next call. Nothing else reads the streams: what was put is there until a test says so.
     */
    async feed(name: string, as: Sandbox = sandbox): Promise<boolean> {
      consumers[name] ??= listFeeds(declared.functions, declared.resources.Resources)
        .filter(({ functionName }) => functionName === name)
        .map((feed) => createConsumer(createStreamReader(database.deliver, feed), feed.event));
      const results = await Promise.all(
        consumers[name].map((consume) => consume((event) => as.feed(name, event))),
      );
      return results.every((isDone) => isDone);
    },

    findSession: ({ key }: Pick<Pair, "key">) => database.find("sessions", key),

    /** Asserts that a call sends these requests and no others; those of an inner list in any order. */
    async expectRequests<T>(steps: Step[], call: () => Promise<T>): Promise<T> {
      const { length } = wire.requests;
      const result = await call();
      expectSteps(wire.names.slice(length), steps);
      return result;
    },

    /**
     * Asserts that a call is refused: this problem, no cookie, these requests (nothing, if none are named), and
     * another session does not notice it.
     */
    async expectRefusal(
      call: () => Promise<ApiResponse>,
      refusal: Refusal,
      steps: Step[] = [],
    ): Promise<void> {
      await openControl();
      expectProblem(await service.expectRequests(steps, call), refusal);
      await service.expectControlUnharmed();
    },

    /** Asserts that a session which has nothing to do with the test is alive: it refreshes and opens /movies. */
    async expectControlUnharmed(): Promise<void> {
      control = await service.rotate(await openControl());
      expect((await sandbox.movies({ cookies: control.cookies })).statusCode).toBe(200);
    },
  };

  async function openControl(): Promise<Pair> {
    if (!control || control.claims.iat + 86_000 < clock.now) control = await service.logIn();
    return control;
  }

  return service;
}

type Pairs<Count extends number, Some extends Pair[] = []> = number extends Count
  ? Pair[]
  : Some["length"] extends Count
    ? Some
    : Pairs<Count, [...Some, Pair]>;

/** The headers of a client's keys. */
export function keyHeaders({ key, previousKey, sessionKey }: CallOptions): Record<string, string> {
  return {
    ...(key !== undefined && { "idempotency-key": key }),
    ...(previousKey !== undefined && { "idempotency-key-previous": previousKey }),
    ...(sessionKey !== undefined && { "session-key": sessionKey }),
  };
}
