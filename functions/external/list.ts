import { readConfig } from "../../lib/config.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { cacheableJson } from "../../lib/http/response.ts";
import { identityProviders } from "../../lib/settings.ts";

const config = readConfig({ identityProviders });
const providers = cacheableJson({
  providers: config.identityProviders.map(({ id, name }) => ({ id, name })),
});

export const handler = readOnlyApi().handler(() => providers);
