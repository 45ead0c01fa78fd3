import { edit, type Mutant } from "./mutant.ts";

const store = "lib/sessions/store.ts";
const rotation = "lib/sessions/rotation.ts";
const refresh = "lib/auth/session/refresh.ts";
const login = "lib/auth/login/password.ts";
const verifier = "lib/tokens/verify-access-token.ts";

const rearmCondition = `            "tokenHash = :tokenHash AND previousTokenHash = :previousTokenHash AND rotatedAt = :rotatedAt",`;

/** Mistakes that are possible in this design only. */
export const design: Mutant[] = [
  {
    id: "rearm",
    mistake: "a re-arming asks only that the session exists",
    edits: edit(store, [
      rearmCondition,
      `"attribute_exists(sessionId) OR tokenHash = :tokenHash OR previousTokenHash = :previousTokenHash OR rotatedAt = :rotatedAt",`,
    ]),
    killedBy: {
      file: "tests/faults.test.ts",
      name: "between the service and DynamoDB a re-arming that is delivered only after the client's retry changes nothing",
    },
  },
  {
    id: "rearm",
    mistake: "a re-arming is an upsert",
    edits: edit(store, [
      rearmCondition,
      `"attribute_not_exists(sessionId) OR (tokenHash = :tokenHash AND previousTokenHash = :previousTokenHash AND rotatedAt = :rotatedAt)",`,
    ]),
    killedBy: {
      file: "tests/concurrency.test.ts",
      name: "at the same moment on DynamoDB a logout beats a re-arming that is under way to the table",
    },
  },
  {
    id: "interval",
    mistake: "a pair is rotated again at once",
    edits: edit(refresh, [
      "notRotatedSince: now - settings.refreshMinIntervalSeconds",
      "notRotatedSince: now",
    ]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the current pair is answered with the same pair inside the minimum interval, and rotates at its end",
    },
  },
  {
    id: "successor",
    mistake: "each repeat gets a successor of its own",
    edits: edit(refresh, [
      "deriveSuccessor(pair.refreshToken, verdict.session.rotationSalt)",
      "deriveSuccessor(pair.refreshToken, createRotationSalt())",
    ]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the predecessor in a keyed session is answered with the winner's very bytes for its key, up to half the interval later",
    },
  },
  {
    id: "own write",
    mistake: "one's own write, met by the SDK's retry, is not recognised",
    edits: edit(rotation, [
      "session.rotationSalt === attempt.rotationSalt",
      "session.rotationSalt === undefined",
    ]),
    killedBy: {
      file: "tests/faults.test.ts",
      name: "between the service and DynamoDB a rotation whose answer is lost is known as our own when the SDK tries again: without a window",
    },
  },
  {
    id: "replay",
    mistake: "a replay is refused and the session goes on",
    edits: edit(refresh, ["          await sessions.delete(key, signal);\n", ""]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the predecessor in a session without keys is a replay from the window's edge on: 10 s",
    },
  },
  {
    id: "replay",
    mistake: "a replay is answered before its deletion is confirmed",
    edits: edit(refresh, [
      "await sessions.delete(key, signal);",
      "await sessions.delete(key, signal).catch(() => undefined);",
    ]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB a spent pair ends the session at its next use when the deletion was not confirmed",
    },
  },
  {
    id: "key",
    mistake: "any key proves a repeat",
    edits: edit(rotation, ["    isSameHash(session.rotationKeyHash, keyHash)", "    keyHash.length > 0"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the predecessor in a keyed session is a replay with another key, at once",
    },
  },
  {
    id: "key",
    mistake: "a keyed session has a window, too",
    edits: edit(rotation, ["!session.keyed && age", "age"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "rotation on DynamoDB the predecessor in a keyed session is a replay without its key, at once",
    },
  },
  {
    id: "pair",
    mistake: "the jti is not compared: any refresh token goes with any JWT",
    edits: edit(refresh, [
      "!isRefreshToken(refreshToken) || createTokenId(refreshToken) !== claims.jti",
      "!isRefreshToken(refreshToken)",
    ]),
    killedBy: {
      file: "tests/refresh.test.ts",
      name: "refresh is refused with 400 for halves of two pairs, and neither session notices",
    },
  },
  {
    id: "pair",
    mistake: "of a pair whose JWT has expired, the other half is not looked at by logout",
    edits: edit("lib/auth/session/logout.ts", [
      "if (!isPair && isExpired) return undefined;",
      "if (!isPair && !refreshToken && isExpired) return undefined;",
    ]),
    killedBy: {
      file: "tests/logout.test.ts",
      name: "logout answers 200 and ends nothing with an expired access token and a foreign refresh token",
    },
  },
  {
    id: "leak",
    mistake: "the table holds the refresh token itself",
    edits: edit("lib/tokens/refresh-token.ts", [
      `  return createHash("sha256").update(token, "ascii").digest("base64url");`,
      "  return token;",
    ]),
    killedBy: {
      file: "tests/login.test.ts",
      name: "POST /auth/login on DynamoDB opens a session and stores only a hash of its refresh token",
    },
  },
  {
    id: "operator",
    mistake: "SESSIONS_NOT_BEFORE does not hold for refresh",
    edits: edit(refresh, ["if (claims.auth_time < settings.sessionsNotBefore)", "if (claims.auth_time < 0)"]),
    killedBy: {
      file: "tests/rotation.test.ts",
      name: "the lifetimes of a session SESSIONS_NOT_BEFORE ends older sessions without a request, and no newer ones",
    },
  },
  {
    id: "memory",
    mistake: "a token that is known is not checked against the time",
    edits: edit(verifier, [
      "    assertCurrent(claims, options);\n    if (!known) verified",
      "    if (!known) assertCurrent(claims, options);\n    if (!known) verified",
    ]),
    killedBy: {
      file: "tests/verified-tokens.test.ts",
      name: "a known token is refused once it has expired, with the same skew",
    },
  },
  {
    id: "memory",
    mistake: "a token is known by its claims, whatever its signature",
    edits: edit("lib/tokens/verified-tokens.ts", [
      `hash("sha256", token, `,
      `hash("sha256", token.slice(0, token.lastIndexOf(".")), `,
    ]),
    killedBy: {
      file: "tests/verified-tokens.test.ts",
      name: "a known token with one letter changed is another token",
    },
  },
  {
    id: "login",
    mistake: "the epoch is read again before the session is put",
    edits: edit(login, [
      "    const { session, refreshToken } = await openSession(user, request);\n    if (!(await isEpochUnmoved(user, session))) return undefined;",
      `    const latest = await users.find(email);
    if (latest?.userId !== user.userId || latest.sessionEpoch !== user.sessionEpoch) return undefined;
    const { session, refreshToken } = await openSession(user, request);`,
    ]),
    killedBy: {
      file: "tests/sessions.test.ts",
      name: "a login that races the end of all sessions never survives it, in whatever order their requests arrive",
    },
  },
  {
    id: "login",
    mistake: "the put of a session is repeated by the SDK",
    edits: edit(store, ["      await unretried.client\n", "      await client\n"]),
    killedBy: {
      file: "tests/login-faults.test.ts",
      name: "a login's put that is throttled is sent once, and again as another session",
    },
  },
  {
    id: "login",
    mistake: "the put of a session overwrites what is there",
    edits: edit(store, [`            ConditionExpression: "attribute_not_exists(sessionId)",\n`, ""]),
    killedBy: {
      file: "tests/login-faults.test.ts",
      name: "a login's put that arrives again late does not roll back a rotation",
    },
  },
  {
    id: "login",
    mistake: "an attempt is counted after the password was looked at",
    edits: edit(
      login,
      [
        "const [attempt, user] = await settleAll([attempts.count(email, device), users.find(email)]);",
        "const user = await users.find(email);",
      ],
      [
        "    if (!user || !isVerified) throw",
        "    const attempt = await attempts.count(email, device);\n    if (!user || !isVerified) throw",
      ],
    ),
    killedBy: {
      file: "tests/attempts.test.ts",
      name: "attempts to log in that have to wait are refused without a look at the password, the right one included",
    },
  },
  {
    id: "login",
    mistake: "a re-hash puts back a password that was changed meanwhile",
    edits: edit("lib/accounts/store.ts", [
      `ConditionExpression: "passwordHash = :from",`,
      `ConditionExpression: "attribute_exists(email) OR passwordHash = :from",`,
    ]),
    killedBy: {
      file: "tests/login.test.ts",
      name: "POST /auth/login on DynamoDB does not put back a password that was changed while it hashed again",
    },
  },
  {
    id: "limits",
    mistake: "a login that its address's limit refuses is counted at the account",
    edits: edit(login, [
      "    await sources.count(request.ip);",
      "    await settleAll([sources.count(request.ip), attempts.count(request.email)]);",
    ]),
    killedBy: {
      file: "tests/source-limits.test.ts",
      name: "logins from one address that are refused count at no account: nobody locks one with them",
    },
  },
  {
    id: "limits",
    mistake: "where logins of an address cannot be counted, they are let through",
    edits: edit("lib/attempts/source-limit.ts", [
      "if (await attempts.countInWindow(id, { limit, endsAt })) return;",
      "if (await attempts.countInWindow(id, { limit, endsAt }).catch(() => true)) return;",
    ]),
    killedBy: {
      file: "tests/source-limits.test.ts",
      name: "logins from one address that cannot be counted are a 503: throttled",
    },
  },
  {
    id: "limits",
    mistake: "a device cookie is good for every account",
    edits: edit("lib/attempts/known-devices.ts", [
      `device cookie:\${nonce}:\${email}`,
      `device cookie:\${nonce}`,
    ]),
    killedBy: {
      file: "tests/device-cookie.test.ts",
      name: "a device cookie that is not genuine is that of a stranger of another account, forged, cut, doubled or oversized",
    },
  },
  {
    id: "logout",
    mistake: "the cookie is cleared although the session may live",
    edits: edit("lib/auth/session/logout.ts", [
      "await sessions.delete(session);",
      "await sessions.delete(session).catch(() => undefined);",
    ]),
    killedBy: {
      file: "tests/logout.test.ts",
      name: "logout is refused with 503 and the cookie kept while the deletion is not confirmed; a later logout works",
    },
  },
  {
    id: "cookie",
    mistake: "of two different cookies the first counts",
    edits: edit("lib/http/cookies.ts", ["others.length > 0 || value.length", "value.length"]),
    killedBy: {
      file: "tests/refresh.test.ts",
      name: "refresh is refused with 400 for two cookies of the name with different values, in any order and place",
    },
  },
  {
    id: "cookie",
    mistake: "the cookie of a browser is answered in the body to who asks for it",
    edits: edit("lib/http/client-mode.ts", [
      `(mode === "bearer" || bearer.is !== "none")`,
      `bearer.is !== "none"`,
    ]),
    killedBy: {
      file: "tests/refresh.test.ts",
      name: "refresh is refused with 400 for two kinds of credentials",
    },
  },
  {
    id: "cross-site",
    mistake: "Sec-Fetch-Site is not looked at",
    edits: edit("lib/http/cross-site.ts", [
      "        fetchSite !== undefined\n",
      '        fetchSite === ""\n',
    ]),
    killedBy: { file: "tests/requests.test.ts", name: "refresh from a page is refused for another site" },
  },
];
