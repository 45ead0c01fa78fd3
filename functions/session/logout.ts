import { createLogout } from "../../lib/auth/session/logout.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { clientMode } from "../../lib/http/client-mode.ts";
import { serializeClearedCookies } from "../../lib/http/cookies.ts";
import { serializeClearedMarker } from "../../lib/http/device-binding.ts";
import { json } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  audience,
  clientId,
  cookieSettings,
  deviceBoundSessions,
  dynamodbSettings,
  issuer,
  jwtPublicKeys,
  sessionsTable,
} from "../../lib/settings.ts";
import { importVerificationKeys } from "../../lib/tokens/keys.ts";
import { createExpiredTokenVerifier } from "../../lib/tokens/verify-access-token.ts";

const config = readConfig({
  ...cookieSettings,
  ...dynamodbSettings,
  issuer,
  audience,
  clientId,
  jwtPublicKeys,
  sessionsTable,
  deviceBoundSessions,
});
const keys = await importVerificationKeys(config.jwtPublicKeys);
const logout = createLogout({
  sessions: createSessionStore(createDynamoDB(config), config.sessionsTable),
  verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys, clock: systemClock }),
});

const clearedCookies = [
  ...serializeClearedCookies(config),
  ...(config.deviceBoundSessions === "on" ? serializeClearedMarker(config) : []),
];

export const handler = api()
  .use(clientMode(config))
  .handler(async ({ mode, presented, pairs, bearer }) => {
    if (presented.is !== "none" && bearer.is !== "none") throw new AppError("conflicting_credentials");
    const [session] = await logout(bearer.is === "bearer" ? [bearer] : pairs);
    note({ event: "session_logout", ...(session && { userId: session.userId }) });
    // A bearer client has no cookie of ours, and the browser it may run in could hold somebody else's session.
    const hasCookie = mode === "cookie" && bearer.is === "none";
    return json(200, { msg: "success" }, hasCookie ? clearedCookies : undefined);
  });
