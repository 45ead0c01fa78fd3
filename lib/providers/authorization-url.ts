import { codeChallengeOf, type Flow, nonceOf, stateOf } from "./flow.ts";
import type { Provider } from "./provider.ts";

/** The URL at the provider that a browser is sent to (RFC 6749, 4.1.1; RFC 7636, 4.3). */
export function createAuthorizationUrl(provider: Provider, flow: Flow): string {
  const url = new URL(provider.authorizationEndpoint);
  const parameters = {
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: provider.redirectUris[flow.index] ?? "",
    scope: provider.scope,
    state: stateOf(flow),
    ...(provider.jwksUri !== undefined && { nonce: nonceOf(flow) }),
    code_challenge: codeChallengeOf(flow),
    code_challenge_method: "S256",
    ...(provider.responseMode !== undefined && { response_mode: provider.responseMode }),
    ...(provider.prompt !== undefined && { prompt: provider.prompt }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
