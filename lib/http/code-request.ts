import { codeAskingSettings, createCodeAsking } from "../code-asking.ts";
import { readConfig } from "../config.ts";
import { note } from "../log.ts";
import type { CodeKind } from "../mail/kinds.ts";
import type { NewMail } from "../mail/mail.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import type { ApiEvent, ClientEvent } from "./event.ts";
import { type ApiResponse, json } from "./response.ts";
import { emailBody, parseBody, type registrationRequestBody } from "./schemas.ts";

interface CodeRequest {
  schema?: typeof emailBody | typeof registrationRequestBody;
  /** Makes, once per sandbox, what gives what is to be known when the code comes back, and what is answered beside it. */
  createMore?: (keyedHash: KeyedHash) => (email: string) => Promise<More>;
}

interface More {
  kept: Pick<NewMail, "newUserId">;
  answered: object;
}

/** Answers a request for a code to an address, whoever has it. */
export async function answerCodeRequest(
  kind: CodeKind,
  { schema = emailBody, createMore }: CodeRequest = {},
) {
  const { ask, sources, keyedHash } = await createCodeAsking(readConfig(codeAskingSettings));
  const findMore = createMore?.(keyedHash);
  return async (event: ApiEvent & ClientEvent): Promise<ApiResponse> => {
    const { body, headers, userAgent, sourceIp: ip } = event;
    const { email } = parseBody(schema, body);
    note({ kind, emailHash: await keyedHash.hash(`log e-mail:${email}`) });
    const asker = { ip, userAgent, acceptLanguage: headers["accept-language"] };
    await sources.count(ip);
    const more = await findMore?.(email);
    const asked = await ask({ kind, email, ...more?.kept }, asker);
    note({ event: "authn_code_requested" });
    return json(202, { ...asked, ...more?.answered });
  };
}
