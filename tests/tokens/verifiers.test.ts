import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { generateKey } from "../../build/keys/generate.ts";
import * as lifecycle from "../../build/keys/lifecycle.ts";
import { signingKeys } from "../../build/keys/sets.ts";
import type { LambdaHandler } from "../../lib/http/route.ts";
import { type OurJwk, parsePrivateKeySet, toPublicJwk } from "../../lib/tokens/keys.ts";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import type { TestKey } from "../support/keys.ts";
import { cookieOf, decodeClaims, type Pair } from "../support/pair.ts";
import { createContext, createSandbox, loadHandler, type Sandbox } from "../support/sandbox.ts";
import { startSecretsManager } from "../support/secrets-manager.ts";
import { startService } from "../support/service.ts";
import { buildToken, signerOf } from "../support/token.ts";
import { createVerifiers, type Verify } from "./stock-verifiers.ts";

const service = await startService();
const secrets = await startSecretsManager();
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secrets.endpoint;
const paths = { "/.well-known/jwks.json": "jwks", "/.well-known/openid-configuration": "discovery" };
const documents: Record<string, LambdaHandler> = {};
const server = createServer(async ({ url: path = "" }, outgoing) => {
  const handler = documents[path];
  if (!handler) return void outgoing.writeHead(404).end();
  const event = createEvent("notFound", { method: "GET", path });
  const { statusCode, headers, body } = await handler(event, createContext());
  outgoing.writeHead(statusCode, headers).end(body);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const refreshTokenTtlSeconds = 86_400;
afterAll(async () => {
  await secrets.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe.each(["RS256", "ES256", "EdDSA"] as const)("through a rotation of %s keys", (algorithm) => {
  let firstKey: OurJwk;
  let nextKey: OurJwk;
  let verifiers: Record<string, Verify>;
  let sandbox: Sandbox;
  let busy: Pair; // renewed at every look
  let idle: Pair; // opened when the next key is about to sign, and not touched for a day
  let tokens: string[] = [];

  beforeAll(async () => {
    [firstKey, nextKey] = await Promise.all([generateKey(algorithm), generateKey(algorithm)]);
    store(lifecycle.createKeySet(firstKey, clock.now));
    sandbox = await deploy();
    busy = await service.logIn({ as: sandbox });
    verifiers = await createVerifiers({ issuer, audience: "api", algorithm });
  });

  test("before it, our tokens are accepted, and those of a stranger's key are not", async () => {
    await expectAccepted(firstKey);
    await expectVerdict("refused", forge(nextKey));
  });

  test("while the next key is added, published and promoted, no live token is refused", async () => {
    store(lifecycle.rotate(stored(), nextKey).set);
    await expectAccepted(firstKey);
    clock.advance(60);
    sandbox = await deploy();
    await expectAccepted(firstKey);
    store(lifecycle.promote(stored(), clock.now, signingKeys).set);
    for (const seconds of [1, 300, 300, 58]) {
      clock.advance(seconds);
      await expectAccepted(firstKey);
    }
    expect(clock.now).toBe(activeFrom() - 1);
    idle = await service.logIn({ as: sandbox });
  });

  test("from activeFrom on the next key signs, and what the old one signed is still good", async () => {
    clock.advance(1);
    await expectAccepted(nextKey);
    await expectVerdict("accepted", idle.token);
    for (const seconds of [1, 300, 500]) {
      clock.advance(seconds);
      await expectAccepted(nextKey);
    }
    // Just before it is over: the last refresh that presents a token of the old key.
    clock.advance(idle.claims.iat + refreshTokenTtlSeconds - 1 - clock.now);
    await expectVerdict("refused", idle.token);
    expect(kidOf((await service.rotate(idle, { as: sandbox })).token)).toBe(nextKey.kid);
    busy = await service.rotate(busy, { as: sandbox });
  });

  test("once the old key is retired, nothing that it signs is accepted, and nothing else is refused", async () => {
    clock.advance((stored().keys[0]?.retireAfter ?? 0) - clock.now);
    await expectAccepted(nextKey);
    await expectVerdict("accepted", forge(firstKey));
    store(lifecycle.retire(stored(), clock.now).set);
    sandbox = await deploy();
    await expectAccepted(nextKey);
    clock.advance(601); // a response of ours may be kept for ten minutes
    const forged = forge(firstKey);
    await expectVerdict("refused", forged);
    await expectAccepted(nextKey);
    const cookies = [cookieOf({ token: forged, refreshToken: busy.refreshToken })];
    expectProblem(await sandbox.refresh({ cookies }), refusals.invalidJwt);
  });

  /** Logs in, with this key, and refreshes: then every token issued so far is accepted while it lives. */
  async function expectAccepted({ kid }: OurJwk): Promise<void> {
    const fresh = await service.logIn({ as: sandbox });
    expect(kidOf(fresh.token)).toBe(kid);
    busy = await service.rotate(busy, { as: sandbox });
    tokens = [...tokens, fresh.token, busy.token].filter((token) => decodeClaims(token).exp > clock.now);
    for (const token of tokens) await expectVerdict("accepted", token);
  }

  /** Asks every verifier, ours included. */
  async function expectVerdict(verdict: "accepted" | "refused", token: string): Promise<void> {
    const { statusCode } = await sandbox.movies({ headers: { authorization: `Bearer ${token}` } });
    expect(statusCode).toBe(verdict === "accepted" ? 200 : 401);
    for (const [name, verify] of Object.entries(verifiers)) {
      const [{ status }] = await Promise.allSettled([verify(token)]);
      expect([name, status]).toEqual([name, verdict === "accepted" ? "fulfilled" : "rejected"]);
    }
  }

  /** What whoever holds a private key could make: a token like ours, issued now. */
  function forge(key: OurJwk): string {
    const claims = { ...busy.claims, iat: clock.now, exp: clock.now + 900 };
    return buildToken({ alg: key.alg, typ: "at+jwt", kid: key.kid }, claims, signerOf(key as TestKey));
  }
});

test.each(["EdDSA", "RS256"] as const)("two %s sandboxes give one answer around activeFrom", async (alg) => {
  store(lifecycle.createKeySet(await generateKey(alg), clock.now));
  store(lifecycle.rotate(stored(), await generateKey(alg)).set);
  const early = await deploy();
  const late = createSandbox(environment());
  await service.logIn({ as: early }); // reads the keys, before the promotion
  store(lifecycle.promote(stored(), clock.now, signingKeys).set);

  const kids = new Set<string>();
  for (const offset of [-70, -1, 0, 1]) {
    clock.advance(activeFrom() + offset - clock.now);
    const pair = await service.logIn({ as: early });
    const calls = [early, late].flatMap((as) =>
      [-1, 0, 1].map((skew) => clock.runAt(clock.now + skew, () => service.refresh(pair, { as }))),
    );
    const lines = (await Promise.all(calls)).map(({ cookies }) => cookies?.[0]);
    expect(new Set(lines).size).toBe(1);
    kids.add(kidOf(lines[0] ?? ""));
  }
  expect(kids.size).toBe(2);
});

function activeFrom(): number {
  return stored().keys[1]?.activeFrom ?? 0;
}

/** Publishes the stored keys: new sandboxes know them, and so does whoever asks for the documents. */
async function deploy(): Promise<Sandbox> {
  for (const [path, name] of Object.entries(paths)) documents[path] = await loadHandler(name, environment());
  const kids = stored().keys.map(({ kid }) => kid);
  store(lifecycle.markPublished(stored(), { kids, refreshTokenTtlSeconds, now: clock.now }, signingKeys));
  return createSandbox(environment());
}

function environment() {
  return {
    ...service.environment,
    ISSUER: issuer,
    PASSKEY_RP_ID: "", // none belongs to an address
    JWT_SIGNING_KEYS: "",
    JWT_SIGNING_KEYS_SECRET: "signing-keys",
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: stored().keys.map(toPublicJwk) }),
  };
}

function store(set: lifecycle.KeySet<OurJwk>): void {
  secrets.put("signing-keys", JSON.stringify(set));
}

function stored(): lifecycle.KeySet<OurJwk> {
  return { keys: parsePrivateKeySet(secrets.find("signing-keys") ?? "") };
}

/** The key that a token, or the token in a cookie, names. */
function kidOf(text: string): string {
  const [header = ""] = /eyJ[\w-]+/.exec(text) ?? [];
  return JSON.parse(Buffer.from(header, "base64url").toString()).kid;
}
