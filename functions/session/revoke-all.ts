import { createEndOthers } from "../../lib/accounts/end-others.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createDevices } from "../../lib/attempts/known-devices.ts";
import { createEndAllSessions } from "../../lib/auth/session/revoke-all.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { deviceCookie, serializeDeviceCookie } from "../../lib/http/device-cookie.ts";
import { json, noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { authTimeOf } from "../../lib/sessions/auth-time.ts";
import { assertFresh, freshSeconds } from "../../lib/sessions/fresh.ts";
import { assertSessionKey } from "../../lib/sessions/presented-keys.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  cookieSettings,
  dynamodbSettings,
  hashKeySettings,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...cookieSettings,
  ...dynamodbSettings,
  ...hashKeySettings,
  usersTable,
  sessionsTable,
});
const hashKeys = await openHashKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const devices = createDevices(createKeyedHash({ hashKeys, clock: systemClock }), systemClock);
const { endAll, endAllOthers } = createEndAllSessions({
  users: createUserStore(dynamodb, config.usersTable),
  sessions,
  endOthers: createEndOthers(dynamodb, config),
  clock: systemClock,
});

export const handler = api()
  .use(await authenticate({ live: sessions }))
  .use(callerMode())
  .use(deviceCookie(config))
  .handler(async ({ session, headers, mode, device, queryStringParameters: { except }, ...event }) => {
    if (except !== undefined && except !== "current") {
      throw new AppError("invalid_query", { detail: "except can only be current." });
    }
    const { userAgent, sourceIp: ip, requestId } = event;
    const request = { userAgent, ip, requestId };
    if (except === undefined) {
      await endAll(session, request);
      note({ event: "authn_token_revoked" });
      return noContent();
    }
    assertFresh(authTimeOf(session), freshSeconds, systemClock());
    assertSessionKey(session, parseClientKeys(headers).sessionKey);
    // Without a key to make the device entry anew nothing is ended.
    await hashKeys.ready();
    const sessionEpoch = await endAllOthers(session, request);
    note({ event: "authn_token_revoked" });
    const kept = await devices.remember({ ...session, sessionEpoch }, device);
    if (mode === "bearer") return json(200, { msg: "success", device: kept });
    return noContent([serializeDeviceCookie(kept, config)]);
  });
