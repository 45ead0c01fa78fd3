import { argon2, randomBytes, randomUUID, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { importJWK, jwtVerify, SignJWT } from "jose";
import { createDynamoDB } from "../lib/dynamodb.ts";
import type { ApiResponse } from "../lib/http/response.ts";
import { createSecretReader } from "../lib/secrets-manager.ts";
import { createEvent } from "../tests/support/event.ts";
import { bundleOf, peerBundleOf } from "./bundle-paths.ts";
import { assertDone, loadHandler } from "./call.ts";
import { createExpressPeer, createOpenAuthPeer } from "./peer-requests.ts";
import { type Runner, race } from "./race.ts";
import { createRequests, openAccount, type Request, tokenOf } from "./requests.ts";

// A process of its own for one scenario: what it measures is told to its parent.
const { JWT_SIGNING_KEYS_SECRET = "", OPENAUTH_ISSUER = "", SESSIONS_TABLE = "" } = process.env;
const [, , scenario = "", rounds, calls] = process.argv;

async function runnerOf(name: string, bundle: string, request: Request): Promise<Runner> {
  const handle = await loadHandler(bundle);
  return {
    name,
    prepare: (last) => request(last as ApiResponse | undefined),
    async run(event) {
      const response = await handle(event);
      assertDone(name, response);
      return response;
    },
  };
}

const peers = async () => ({
  express: await createExpressPeer(),
  openauth: await createOpenAuthPeer(OPENAUTH_ISSUER),
});

/** Access tokens that no sandbox has seen, as many as will be needed. */
async function createTokens(count: number): Promise<string[]> {
  const token = tokenOf((await openAccount()).cookies);
  const [header, claims] = token
    .split(".", 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  const { keys } = JSON.parse(await createSecretReader(JWT_SIGNING_KEYS_SECRET)());
  const key = await importJWK(keys[0], keys[0].alg);
  const sign = () => new SignJWT({ ...claims, jti: randomUUID() }).setProtectedHeader(header).sign(key);
  return Promise.all(Array.from({ length: count }, sign));
}

const scenarios: Record<string, () => Promise<Runner[]>> = {
  async protected() {
    const { express, openauth } = await peers();
    const requests = await createRequests();
    const tokens = await createTokens(Number(rounds) * Number(calls));
    const { keys } = JSON.parse(process.env.JWT_PUBLIC_KEYS ?? "");
    const key = await importJWK(keys[0], keys[0].alg);
    let verified = 0;
    let opened = 0;
    const options = {
      issuer: process.env.ISSUER ?? "",
      audience: process.env.AUDIENCE ?? "",
      algorithms: [keys[0].alg],
      typ: "at+jwt",
    };
    return [
      {
        name: "jose",
        prepare: () => tokens[verified++],
        run: (token) => jwtVerify(token as string, key, options),
      },
      await runnerOf("movies, new token", bundleOf("movies"), () =>
        createEvent("movies", { headers: { authorization: `Bearer ${tokens[opened++]}` } }),
      ),
      await runnerOf("movies", bundleOf("movies"), requests.movies),
      await runnerOf("express", peerBundleOf("express-protected"), express.protected),
      await runnerOf("openauth", peerBundleOf("openauth-protected"), openauth.protected),
    ];
  },

  async refresh() {
    const { express, openauth } = await peers();
    const requests = await createRequests();
    return [
      await rawUpdate(),
      await runnerOf("refresh", bundleOf("refresh"), requests.refresh),
      await runnerOf("express", peerBundleOf("express"), express.refresh),
      await runnerOf("openauth", peerBundleOf("openauth"), openauth.refresh),
    ];
  },

  async login() {
    const { express, openauth } = await peers();
    const requests = await createRequests();
    const parameters = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
    const [message, nonce] = [Buffer.from("a long and private sentence"), randomBytes(16)];
    return [
      { name: "argon2", run: () => promisify(argon2)("argon2id", { message, nonce, ...parameters }) },
      { name: "scrypt", run: () => promisify(scrypt)(message, nonce, 32) },
      await runnerOf("login", bundleOf("login"), requests.login),
      { name: "express", run: express.logIn },
      { name: "openauth", run: openauth.logIn },
    ];
  },

  async others() {
    const { cookies } = await openAccount();
    const requests = await createRequests();
    const mails: unknown[] = [];
    // Asking for them would count as the time of sending them.
    while (mails.length < Number(rounds) * Number(calls)) mails.push(await requests.mail());
    const own = { logout: () => createEvent("logout", { cookies }), mail: () => mails.pop() };
    const usual = { ...requests, ...own };
    const names = [
      ...(["me", "authorizer", "listSessions", "logout", "register", "jwks"] as const),
      ...(["forgotPassword", "mail"] as const),
    ];
    return Promise.all(names.map((name) => runnerOf(name, bundleOf(name), usual[name])));
  },
};

/** The limit of a refresh: one conditional write of the same shape by the same SDK, and nothing else. */
async function rawUpdate(): Promise<Runner> {
  const client = createDynamoDB({ dynamodbEndpoint: undefined, dynamodbTimeoutMs: 800 });
  const Key = { userId: randomUUID(), sessionId: randomUUID() };
  const create = () => randomBytes(32).toString("base64url");
  let tokenHash = create();
  const item = { ...Key, tokenHash, email: "ada@example.com", expiresAt: 2e9, createdAt: 1e9, keyed: false };
  await client.send(new PutCommand({ TableName: SESSIONS_TABLE, Item: item }));
  return {
    name: "UpdateItem",
    async run() {
      const successor = create();
      const command = new UpdateCommand({
        TableName: SESSIONS_TABLE,
        Key,
        UpdateExpression:
          "SET previousTokenHash = :presented, tokenHash = :successor, rotationSalt = :salt, rotatedAt = :now, expiresAt = :expiresAt REMOVE rotationKeyHash",
        ConditionExpression:
          "tokenHash = :presented AND expiresAt > :now AND (attribute_not_exists(rotatedAt) OR rotatedAt <= :now)",
        ExpressionAttributeValues: {
          ":presented": tokenHash,
          ":successor": successor,
          ":salt": successor,
          ":now": 1e9,
          ":expiresAt": 2e9,
        },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      await client.send(command);
      tokenHash = successor;
    },
  };
}

const runners = await scenarios[scenario]?.();
const result = await race(runners ?? [], { rounds: Number(rounds), calls: Number(calls) });
process.send?.(result, () => process.exit());
