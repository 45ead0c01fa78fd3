import { createRenamePasskey } from "../../lib/auth/passkeys/rename.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { renamePasskeyBody } from "../../lib/http/passkey-schemas.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { createPasskeyStore } from "../../lib/passkeys/store.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const renamePasskey = createRenamePasskey({
  passkeys: createPasskeyStore(dynamodb, config.usersTable),
  clock: systemClock,
});

export const handler = api()
  .use(await authenticate({ live: createSessionStore(dynamodb, config.sessionsTable) }))
  .handler(async ({ session, body, pathParameters: { passkeyId } }) => {
    const { name } = parseBody(renamePasskeyBody, body);
    return json(200, await renamePasskey(session, passkeyId, name));
  });
