import { codeAskingSettings, createCodeAsking } from "../../lib/code-asking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { emailBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";

const { ask, keyedHash } = createCodeAsking(readConfig(codeAskingSettings));

export const handler = api().handler(async ({ body, headers, userAgent, sourceIp: ip }) => {
  const { email } = parseBody(emailBody, body);
  note({ kind: "login", emailHash: await keyedHash.hash(`log e-mail:${email}`) });
  const asked = await ask(
    { kind: "login", email },
    { ip, userAgent, acceptLanguage: headers["accept-language"] },
  );
  note({ event: "authn_code_requested" });
  return json(202, asked);
});
