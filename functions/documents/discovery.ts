import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { cacheableJson } from "../../lib/http/response.ts";

const { issuer, jwtPublicKeys } = readConfig(["stage", "issuer", "jwtPublicKeys"]);
const algorithms = [...new Set(jwtPublicKeys.map(({ alg }) => alg))];

/** What verifiers look for (OpenID Connect Discovery 1.0, section 3): we issue no codes and no ID tokens. */
const metadata = cacheableJson({
  issuer,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  response_types_supported: [],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: algorithms,
  claims_supported: ["iss", "aud", "client_id", "sub", "sid", "email", "auth_time", "iat", "exp", "jti"],
});

export const handler = api().handler(() => metadata);
