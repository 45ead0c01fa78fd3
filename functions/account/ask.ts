import { randomUUID } from "node:crypto";
import { appNameSettings, findAppName } from "../../lib/app-name.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { answerCodeRequest } from "../../lib/http/code-request.ts";
import { registrationRequestBody } from "../../lib/http/schemas.ts";
import { createOfferPasskey } from "../../lib/passkeys/offer.ts";
import { openOptionalPasskeys, optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import type { KeyedHash } from "../../lib/tokens/keyed-hash.ts";

const config = readConfig({ ...appNameSettings, ...optionalPasskeySettings });

function createMore(keyedHash: KeyedHash) {
  const passkeys = openOptionalPasskeys(config, keyedHash);
  const offerPasskey = passkeys && createOfferPasskey({ ...passkeys, rpName: findAppName(config) });
  return async (email: string) => {
    const newUserId = randomUUID();
    const answered = offerPasskey ? { passkey: await offerPasskey(newUserId, email) } : {};
    return { kept: { newUserId }, answered };
  };
}

export const handler = api().handler(
  await answerCodeRequest("register", { schema: registrationRequestBody, createMore }),
);
