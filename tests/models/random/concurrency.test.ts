import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  createRefreshToken,
  createTokenId,
  deriveSuccessor,
  hashToken,
} from "../../../lib/tokens/refresh-token.ts";
import { clock } from "../../support/clock.ts";
import { header, ours } from "../../support/forgery.ts";
import { cookieOf, pairOf } from "../../support/pair.ts";
import { times } from "../../support/randomness.ts";
import type { Sandbox } from "../../support/sandbox.ts";
import { keyHeader, startService } from "../../support/service.ts";
import { buildToken } from "../../support/token.ts";
import { isLinearisable, type Operation, type Outcome } from "./service/history.ts";
import { lifetimes, type SessionState } from "./service/session.ts";
import { type Fate, takeTurns } from "./service/turns.ts";

// Two to six requests of one session at once, their requests to the table in any order, some lost, some unanswered:
// there is an order of the whole requests in which the reference answers the same.
const service = await startService();
const { wire, database, environment } = service;
const maxParties = 6;
const userId = randomUUID();
const email = `${userId}@example.com`;
const keys = ["the-key-of-the-browser", "another-key-than-that"] as const;

interface Scene {
  keyed: boolean;
  /** How often the session has been rotated, and how long ago the last time was. */
  generation: number;
  age: number;
  rotationKey: string | undefined;
}

const scene: fc.Arbitrary<Scene> = fc.record({
  keyed: fc.boolean(),
  generation: fc.nat(2),
  age: fc.constantFrom(0, 5, 9, 10, 15, 16, 29, 30, 60),
  rotationKey: fc.constantFrom(keys[0], undefined),
});
const party = fc.record({
  is: fc.oneof(
    { weight: 8, arbitrary: fc.constant("refresh" as const) },
    fc.constantFrom(...(["logout", "revoke", "revoke", "revoke all", "look"] as const)),
  ),
  /** How many generations its pair is behind. */
  back: fc.constantFrom(0, 0, 0, 1, 1, 2),
  key: fc.constantFrom(keys[0], keys[0], keys[1], undefined),
  /** How far its clock is ahead. */
  ahead: fc.constantFrom(0, 0, 0, 1, 5),
});
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>("delivered") },
  fc.constantFrom<Fate>("lost", "unanswered"),
);

/** Puts a session into the table as its logins and rotations would have left it. */
async function putSession({ keyed, generation, age, rotationKey }: Scene) {
  const sessionId = randomUUID();
  const createdAt = clock.now - 500;
  const rotatedAt = generation > 0 ? clock.now - age : undefined;
  const tokens = [createRefreshToken()];
  const salts = Array.from({ length: generation }, createRefreshToken);
  for (const salt of salts) tokens.push(deriveSuccessor(tokens.at(-1) ?? "", salt));
  const expiresAt = (rotatedAt ?? createdAt) + lifetimes.sliding;
  const hashes = tokens.map(hashToken);
  await database.put("sessions", {
    ...{ userId, sessionId, email, keyed, createdAt, expiresAt, tokenHash: hashes.at(-1), sessionEpoch: 0 },
    ...(rotatedAt !== undefined && {
      rotatedAt,
      previousTokenHash: hashes.at(-2),
      rotationSalt: salts.at(-1),
    }),
    ...(rotatedAt !== undefined && rotationKey && { rotationKeyHash: hashToken(rotationKey) }),
  });
  const user = { email, userId, passwordHash: "none", sessionEpoch: 1, sweptEpoch: 1, createdAt };
  await database.put("users", user);
  const state: SessionState = {
    ...{ keyed, createdAt, expiresAt, generation, rotatedAt, rotatedBy: undefined },
    rotationKey: rotatedAt === undefined ? undefined : rotationKey,
  };
  const cookies = tokens.map((refreshToken, index) => {
    const iat = index === generation ? (rotatedAt ?? createdAt) : createdAt;
    const claims = {
      ...{ iss: environment.ISSUER, aud: "api", client_id: "web", sub: userId, sid: sessionId, email },
      ...{ auth_time: createdAt, iat, exp: iat + 900, jti: createTokenId(refreshToken) },
    };
    return [cookieOf({ token: buildToken(header, claims, ours), refreshToken })];
  });
  return { sessionId, state, cookies, tokens: new Map(tokens.entries()) };
}

/** One sandbox for each party; the wire tells them by the path of their endpoint. */
async function createSandboxes(): Promise<Sandbox[]> {
  const { AWS_ENDPOINT_URL_DYNAMODB } = process.env;
  const sandboxes: Sandbox[] = [];
  for (let index = 0; index < maxParties; index++) {
    const sandbox = service.createSandbox({
      REFRESH_TOKEN_TTL_SECONDS: String(lifetimes.sliding),
      SESSION_MAX_AGE_SECONDS: String(lifetimes.absolute),
    });
    // The SDK looks for its endpoint once, when it first sends.
    process.env.AWS_ENDPOINT_URL_DYNAMODB = `${wire.endpoint}/${index}`;
    const { sessionId, cookies } = await putSession({
      keyed: false,
      generation: 0,
      age: 0,
      rotationKey: undefined,
    });
    await sandbox.refresh({ cookies: cookies[0] as string[] });
    await sandbox.changePassword({ cookies: cookies[0] as string[], body: {} });
    await sandbox.revokeSession({ cookies: cookies[0] as string[], pathParameters: { sessionId } });
    await sandbox.revokeAllSessions({ cookies: cookies[0] as string[] });
    await sandbox.logout({ cookies: cookies[0] as string[] });
    sandboxes.push(sandbox);
  }
  process.env.AWS_ENDPOINT_URL_DYNAMODB = AWS_ENDPOINT_URL_DYNAMODB;
  const paths = new Set(wire.requests.map(({ path }) => path.split("/")[1]));
  expect(paths.size).toBe(maxParties);
  return sandboxes;
}

const sandboxes = await createSandboxes();

test("requests at the same moment are answered as if they had come one after the other", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      scene,
      fc.array(party, { minLength: 2, maxLength: maxParties }),
      fc.infiniteStream(fate),
      async (scheduler, scene, parties, fates) => {
        wire.forget();
        const { sessionId, state, cookies: all, tokens } = await putSession(scene);
        const acts = parties.map(({ is, back, key, ahead }, index) => {
          const generation = Math.max(0, scene.generation - back);
          const cookies = all[generation] as string[];
          const now = clock.now + ahead;
          const operation: Operation =
            is === "refresh" ? { is, refresh: { id: `${index}`, generation, key, now } } : { is };
          const sandbox = sandboxes[index] as Sandbox;
          const send = {
            refresh: () => sandbox.refresh({ cookies, headers: keyHeader(key) }),
            logout: () => sandbox.logout({ cookies }),
            revoke: () => sandbox.revokeSession({ cookies, pathParameters: { sessionId } }),
            "revoke all": () => sandbox.revokeAllSessions({ cookies }),
            look: () => sandbox.changePassword({ cookies, body: {} }),
          }[is];
          return { operation, outcome: { status: 0 } as Outcome, run: () => clock.runAt(now, send) };
        });

        const run = acts.map((act) => async () => {
          const response = await act.run();
          act.outcome = { status: response.statusCode };
          if (act.operation.is !== "refresh" || response.statusCode !== 200) return;
          const { refreshToken, claims, cookies } = pairOf(response);
          act.outcome.pair = { refreshToken, iat: claims.iat, cookie: cookies.join() };
        });
        const trails = await takeTurns(wire, scheduler, run, () => fates.next().value as Fate);

        const item = await database.find("sessions", { userId, sessionId });
        const history = acts.map(({ operation, outcome }, index) => {
          return { operation, outcome, ...(trails[index] as (typeof trails)[number]) };
        });
        for (const { operation, outcome } of history) {
          const name = `${operation.is} ${outcome.status}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        }
        const isRight = isLinearisable(history, { state, tokens }, item);
        if (!isRight)
          expect({
            scene,
            history,
            names: wire.requests.map(({ path, name }) => `${path} ${name}`),
            item,
          }).toBe("linearisable");
      },
    ),
    times(150),
  );
  process.stdout.write(
    `${[...seen]
      .map(([outcome, count]) => `${outcome}: ${count}`)
      .sort()
      .join(", ")}\n`,
  );
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining(["refresh 200", "refresh 400", "logout 200", "revoke 204", "revoke all 204"]),
  );
}, 3_600_000);
