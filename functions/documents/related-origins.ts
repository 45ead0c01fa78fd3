import { readConfig } from "../../lib/config.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { cacheableJson } from "../../lib/http/response.ts";
import { allowedOrigins, issuer } from "../../lib/settings.ts";

const config = readConfig({ issuer, allowedOrigins });

/** Which pages of other sites may use the passkeys of this host (WebAuthn Level 3, 5.11). */
const document = cacheableJson({ origins: [new URL(config.issuer).origin, ...config.allowedOrigins] });

export const handler = readOnlyApi().handler(() => document);
