import { randomUUID } from "node:crypto";
import { codeAskingSettings, createCodeAsking } from "../../lib/code-asking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody, registrationRequestBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";

const { ask, keyedHash } = createCodeAsking(readConfig(codeAskingSettings));

export const handler = api().handler(async ({ body, headers, userAgent, sourceIp: ip }) => {
  const { email } = parseBody(registrationRequestBody, body);
  note({ kind: "register", emailHash: await keyedHash.hash(`log e-mail:${email}`) });
  const asked = await ask(
    { kind: "register", email, newUserId: randomUUID() },
    { ip, userAgent, acceptLanguage: headers["accept-language"] },
  );
  note({ event: "authn_code_requested" });
  return json(202, asked);
});
