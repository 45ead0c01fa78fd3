import { createDirectory } from "../../lib/accounts/directory.ts";
import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createLinkIdentity } from "../../lib/auth/identities/link.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { flowCookies, serializeClearedFlow } from "../../lib/http/flow-cookie.ts";
import { findReturn } from "../../lib/http/provider-return.ts";
import { linkBody } from "../../lib/http/provider-schemas.ts";
import { json } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createFlowStore } from "../../lib/providers/flow-store.ts";
import { openRedeem } from "../../lib/providers/open-providers.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  cookieSettings,
  dynamodbSettings,
  identitiesTable,
  identityProviders,
  ifSet,
  mailsTable,
  providerKeySettings,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...cookieSettings, ...dynamodbSettings, ...providerKeySettings, identityProviders },
  ...{ usersTable, identitiesTable, sessionsTable, attemptsTable, mailsTable: ifSet(mailsTable) },
});
const provider = await openRedeem(config, clock);
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const linkIdentity = createLinkIdentity({
  flows: createFlowStore(dynamodb, config.attemptsTable),
  redeem: provider.redeem,
  users: createUserStore(dynamodb, config.usersTable),
  identities: createIdentityStore(dynamodb, config.identitiesTable),
  directory: createDirectory(dynamodb, config),
  hasMail: config.mailsTable !== undefined,
  noteFailure: (error) => note({ error }),
  clock,
});

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .use(flowCookies(config))
  .handler(async (event) => {
    const { session, mode, userAgent, sourceIp: ip, requestId } = event;
    const { sessionId } = session;
    const { isReturnOf } = provider;
    const returned = findReturn(event, { body: linkBody, config, isReturnOf, sessionId, now: clock() });
    const linked = await linkIdentity(session, { ...returned, userAgent, ip, requestId });
    note({ event: "authn_factor_added", by: "provider" });
    return json(201, linked, mode === "bearer" ? undefined : [serializeClearedFlow(returned.state, config)]);
  });
