import { createBeginPasskeyLogin } from "../../lib/auth/login/challenge.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { openPasskeys, passkeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { hashKeySettings } from "../../lib/settings.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({ ...passkeySettings, ...hashKeySettings });
const clock = systemClock;
const keyedHash = createKeyedHash({ hashKeys: await openHashKeys(config, clock), clock });
const beginPasskeyLogin = createBeginPasskeyLogin(openPasskeys(config, keyedHash));

export const handler = api().handler(async () => json(200, await beginPasskeyLogin()));
