import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { cacheableJson } from "../../lib/http/response.ts";
import { toPublicJwk } from "../../lib/tokens/keys.ts";

const { jwtPublicKeys } = readConfig(["jwtPublicKeys"]);
const keySet = cacheableJson({ keys: jwtPublicKeys.map(toPublicJwk) });

export const handler = api().handler(() => keySet);
