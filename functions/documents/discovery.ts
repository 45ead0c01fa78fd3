import { readConfig } from "../../lib/config.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { cacheableJson } from "../../lib/http/response.ts";
import { issuer, jwtPublicKeys } from "../../lib/settings.ts";
import { claimNames } from "../../lib/tokens/access-claims.ts";

const config = readConfig({ issuer, jwtPublicKeys });
const algorithms = [...new Set(config.jwtPublicKeys.map(({ alg }) => alg))];

/** What verifiers look for (OpenID Connect Discovery 1.0, section 3): we issue no codes and no ID tokens. */
const metadata = cacheableJson({
  issuer: config.issuer,
  jwks_uri: `${config.issuer}/.well-known/jwks.json`,
  response_types_supported: [],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: algorithms,
  claims_supported: claimNames,
});

export const handler = readOnlyApi().handler(() => metadata);
