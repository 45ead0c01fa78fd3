import { createMoves } from "../../lib/accounts/moves.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createUndoEmailChange } from "../../lib/auth/email/undo.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { createUndoEmailChangeBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  identitiesTable,
  loginLimitPerSourcePerMinute,
  passwordMinLength,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...codeTakingSettings, usersTable, identitiesTable, sessionsTable, attemptsTable },
  ...{ loginLimitPerSourcePerMinute, passwordMinLength },
});
const undoBody = createUndoEmailChangeBody(config);
const { codes, mails, needs } = await createCodeTaking(config);
const limit = config.loginLimitPerSourcePerMinute;
const undoEmailChange = createUndoEmailChange({
  ...{ codes, mails, commonPasswords, clock: needs.clock },
  // The token opens an account: whoever presents one is counted as one who logs in.
  sources: openSourceLimit(config, needs, { what: "logins", limit, windowSeconds: 60 }),
  users: createUserStore(needs.dynamodb, config.usersTable),
  sessions: createSessionStore(needs.dynamodb, config.sessionsTable),
  moves: createMoves(needs.dynamodb, config),
});

export const handler = api().handler(async ({ body, userAgent, sourceIp: ip, requestId }) => {
  const { userId } = await undoEmailChange({ ...parseBody(undoBody, body), userAgent, ip, requestId });
  note({ event: "user_updated", by: "undo", userId });
  return json(200, { msg: "success" });
});
