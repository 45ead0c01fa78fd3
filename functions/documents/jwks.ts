import { readConfig } from "../../lib/config.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { cacheableJson } from "../../lib/http/response.ts";
import { jwtPublicKeys } from "../../lib/settings.ts";
import { toPublicJwk } from "../../lib/tokens/keys.ts";

const config = readConfig({ jwtPublicKeys });
const keySet = cacheableJson({ keys: config.jwtPublicKeys.map(toPublicJwk) });

export const handler = readOnlyApi().handler(() => keySet);
