import { edit, type Mutant } from "./mutant.ts";

const store = "lib/sessions/store.ts";
const rotation = "lib/sessions/rotation.ts";
const refresh = "lib/auth/session/refresh.ts";
const login = "lib/auth/login/password.ts";
const verifier = "lib/tokens/verify-access-token.ts";
const users = "lib/accounts/store.ts";

const rotateCondition = `            "(attribute_not_exists(rotatedAt) OR rotatedAt <= :notRotatedSince) " +
            "AND tokenHash = :presented AND expiresAt > :now",`;

/** The mistakes M1 to M20 of the project's security catalogue, in the words of this design. */
export const catalogue: Mutant[] = [
  {
    id: "M1",
    mistake: "a condition that failed is taken for an invalid token",
    edits: edit(store, [
      "      const item = findFailedItem(error);",
      "      if (error) return { written: false, session: undefined };\n      const item = findFailedItem(error);",
    ]),
    killedBy: {
      file: "tests/faults.test.ts",
      name: "between the service and DynamoDB a rotation whose answer is lost is known as our own when the SDK tries again: in a keyed session",
    },
  },
  {
    id: "M2",
    mistake: "a rotation reads, checks, then writes without condition",
    edits: edit(
      store,
      [
        "    rotate(key: SessionKey, rotation: Rotation, signal?: AbortSignal): Promise<WriteResult> {",
        "    async rotate(key: SessionKey, rotation: Rotation, signal?: AbortSignal): Promise<WriteResult> {",
      ],
      [
        "        rotation;\n      return update(",
        `        rotation;
      const seen = await find(key);
      const isDue = (seen?.rotatedAt ?? 0) <= notRotatedSince;
      if (seen?.tokenHash !== presentedHash || seen.expiresAt <= now || !isDue)
        return { written: false, session: seen };
      return update(`,
      ],
      [rotateCondition, `"attribute_exists(sessionId) OR rotatedAt <= :notRotatedSince",`],
    ),
    killedBy: {
      file: "tests/faults.test.ts",
      name: "between the service and DynamoDB a rotation that is delivered again late, after the next rotation, changes nothing",
    },
  },
  {
    id: "M3",
    mistake: "a rotation makes the session that it does not find",
    edits: edit(store, [
      rotateCondition,
      `"attribute_not_exists(sessionId) OR (attribute_not_exists(rotatedAt) OR rotatedAt <= :notRotatedSince) " +
            "AND tokenHash = :presented AND expiresAt > :now",`,
    ]),
    killedBy: {
      file: "tests/concurrency.test.ts",
      name: "at the same moment on DynamoDB a logout answered while a rotation is under way to the table beats it",
    },
  },
  {
    id: "M4",
    mistake: "login reads the epoch again and does not compare it",
    edits: edit(login, [" && latest.sessionEpoch === user.sessionEpoch", ""]),
    killedBy: {
      file: "tests/login-faults.test.ts",
      name: "a login beside the end of all sessions that is overtaken takes its session back and starts again once",
    },
  },
  {
    id: "M5",
    mistake: "a repeat is answered although the session is over",
    edits: edit(rotation, ["!session || session.expiresAt <= attempt.now", "!session"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB a session ends when expiresAt is reached, and not a second earlier, for every pair of it",
    },
  },
  {
    id: "M7",
    mistake: "the user is read eventually consistent",
    edits: edit(users, ["Key: { email }, ConsistentRead: true", "Key: { email }"]),
    killedBy: {
      file: "tests/request-counts.test.ts",
      name: "DynamoDB requests on DynamoDB login sends 4 in three steps, and both of its reads are strongly consistent",
    },
  },
  {
    id: "M8",
    mistake: "login reads the user before its write only",
    edits: edit(login, [
      "    let latest: User | undefined;",
      "    if (user) return true;\n    let latest: User | undefined;",
    ]),
    killedBy: {
      file: "tests/login-faults.test.ts",
      name: "a login beside the end of all sessions whose account was deleted meanwhile leaves no session",
    },
  },
  {
    id: "M9",
    mistake: "a database that is away is answered with 401",
    edits: edit("lib/dynamodb.ts", [
      `throw new AppError("unavailable", { cause: error });`,
      `throw new AppError("invalid_token", { cause: error });`,
    ]),
    killedBy: {
      file: "tests/outages.test.ts",
      name: "when DynamoDB throttles, every route answers 503 and nobody's session is harmed",
    },
  },
  {
    id: "M10",
    mistake: "the refusal of a racer clears the cookie",
    edits: edit("lib/http/problem.ts", [
      "    body: JSON.stringify({",
      `    ...(status < 500 && { cookies: ["auth-cookie=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0"] }),
    body: JSON.stringify({`,
    ]),
    killedBy: {
      file: "tests/concurrency.test.ts",
      name: "at the same moment on DynamoDB a logout answered while a rotation is under way to the table beats it",
    },
  },
  {
    id: "M11",
    mistake: "a pair older than the predecessor is accepted",
    edits: edit(rotation, [
      "!isRotated(session) || !isSameHash(session.previousTokenHash, attempt.presentedHash)",
      "!isRotated(session)",
    ]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB a spent pair older than the predecessor is a replay at any time, without keys",
    },
  },
  {
    id: "M12",
    mistake: "the window is measured from the creation of the session",
    edits: edit(rotation, ["attempt.now - session.rotatedAt", "attempt.now - session.createdAt"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the predecessor in a session without keys is answered with the winner's very bytes inside the window, and logged as unproven",
    },
  },
  {
    id: "M13",
    mistake: "the end of the session is not in the condition",
    edits: edit(store, ["AND tokenHash = :presented AND expiresAt > :now", "AND tokenHash = :presented"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB a session ends a day after the last use, and each use starts the day anew",
    },
  },
  {
    id: "M13",
    mistake: "the absolute end of the session is not looked at",
    edits: edit(refresh, ["if (sessionEndsAt <= now) throw", "if (sessionEndsAt < 0) throw"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "the lifetimes of a session SESSION_MAX_AGE_SECONDS ends a session however active, without a request",
    },
  },
  {
    id: "M14",
    mistake: "the user id is not in the condition of a write to the user",
    edits: edit(users, [
      `"userId = :userId AND (attribute_not_exists(raiseId) `,
      `"(attribute_exists(email) OR userId = :userId) AND (attribute_not_exists(raiseId) `,
    ]),
    killedBy: {
      file: "tests/sessions.test.ts",
      name: "DELETE /auth/sessions of an account that is gone ends its sessions and touches nothing of the address's new owner",
    },
  },
  {
    id: "M15",
    mistake: "a refresh puts off the absolute end of the session",
    edits: edit("lib/tokens/issue-pair.ts", ["auth_time: session.createdAt", "auth_time: iat"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "the lifetimes of a session SESSION_MAX_AGE_SECONDS ends a session however active, without a request",
    },
  },
  {
    id: "M15",
    mistake: "a refresh sets an end beyond the absolute one",
    edits: edit(refresh, [
      "Math.min(now + settings.refreshTokenTtlSeconds, sessionEndsAt)",
      "now + settings.refreshTokenTtlSeconds",
    ]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "the lifetimes of a session a re-arming does not take a session beyond SESSION_MAX_AGE_SECONDS",
    },
  },
  {
    id: "M16",
    mistake: "protected routes forgive expiry, too",
    edits: edit(verifier, ["if (claims.exp <= now - clockSkewSeconds)", "if (claims.exp <= 0)"]),
    killedBy: {
      file: "tests/token-times.test.ts",
      name: "J01 an expired token is refused on /movies and refreshes",
    },
  },
  {
    id: "M17",
    mistake: "the algorithm is not pinned",
    edits: [
      ...edit(verifier, ["      algorithms: [alg],\n", ""]),
      ...edit("lib/tokens/compact-jws.ts", ["!found || alg !== found.alg", "!found"]),
    ],
    killedBy: {
      file: "tests/tokens.test.ts",
      name: "a forged or malformed access token is refused everywhere, and nobody is asked J10 an algorithm that is not the key's",
    },
  },
  {
    id: "M18",
    mistake: "the key is looked up in a plain object",
    edits: edit("lib/tokens/keys.ts", [
      "  return new Map(await Promise.all(entries));",
      `  const table = Object.fromEntries(await Promise.all(entries));
  return { get: (kid: string) => table[kid] } as never;`,
    ]),
    killedBy: {
      file: "lib/tokens/keys.test.ts",
      name: "a kid is looked up among the keys, not among what every object has",
    },
  },
  {
    id: "M19",
    mistake: "an unknown user costs no hash",
    edits: edit("lib/factors/password-hash.ts", [
      "  const { parameters, salt, tag } = stored === undefined",
      "  if (stored === undefined) return false;\n  const { parameters, salt, tag } = stored === undefined",
    ]),
    killedBy: {
      file: "tests/login.test.ts",
      name: "a login is refused with as much work for an unknown user as for a wrong password",
    },
  },
  {
    id: "M20",
    mistake: "attempts are counted for existing users only",
    edits: edit(login, [
      "settleAll([attempts.count(email, device), users.find(email)]);",
      `settleAll([
        users
          .find(email)
          .then((user) => (user ? attempts.count(email, device) : { id: "", count: 1, isKnownDevice: true })),
        users.find(email),
      ]);`,
    ]),
    killedBy: {
      file: "tests/attempts.test.ts",
      name: "attempts to log in on DynamoDB give the same bytes and the same requests whether or not there is an account",
    },
  },
];

/** Those that cannot be made here, and why. */
export const notApplicable = {
  M6: "Revoking deletes the session by design. What a tombstone is for, that no late write brings it back, the conditions of the writes do: M3 here, and the put of a login in the other list.",
};
