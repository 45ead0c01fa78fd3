import * as oauth from "oauth4webapi";
import type { Clock } from "../clock.ts";
import { type Evidence, readGithubEvidence, readTokenEvidence } from "./evidence.ts";
import type { FetchJson, JsonRequest } from "./fetch-json.ts";
import { codeVerifierOf, type Flow, nonceOf, stateOf } from "./flow.ts";
import type { Provider } from "./provider.ts";
import { ProviderRefusal, ProviderTrouble } from "./provider-error.ts";

/** What the page was opened with when the provider had sent the browser back to it. */
export interface ProviderReturn {
  code: string;
  /** The provider's own name (RFC 9207). */
  iss?: string | undefined;
}

/** Redeems the code of a sign-in. */
export type Redeem = ReturnType<typeof createRedeem>;

/** Clocks of providers differ from ours by so much. */
const skewSeconds = 60;

/** What is ours to mend: our client is not known to the provider as we know it. */
const ourFaults = [
  "invalid_client",
  "unauthorized_client",
  "redirect_uri_mismatch",
  "incorrect_client_credentials",
];

interface RedeemOptions {
  /** Gives the client secret of a provider. */
  getClientSecret: (provider: Provider) => Promise<string>;
  fetchJson: FetchJson;
  clock: Clock;
}

/** Makes what asks a provider who has signed in. */
export function createRedeem({ getClientSecret, fetchJson, clock }: RedeemOptions) {
  // One for each provider: the library keeps its key set by it.
  const servers = new Map<string, oauth.AuthorizationServer>();

  /** The library's own words are those of fetch; on one's own machine a provider may speak plain http. */
  const createOptions = ({ tokenEndpoint }: Provider) => ({
    [oauth.customFetch]: (url: string, request: object) =>
      fetchJson(url, request as JsonRequest) as unknown as Promise<globalThis.Response>,
    [oauth.allowInsecureRequests]: tokenEndpoint.startsWith("http:"),
  });

  /** A call of the provider's API with the access token, which is dropped then. */
  async function ask(url: string, token: string): Promise<unknown> {
    const response = await fetchJson(url, {
      method: "GET",
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        "user-agent": "serverless-auth-api",
      },
    });
    if (response.status !== 200) throw new ProviderRefusal("code refused");
    return response.json();
  }

  function openServer(provider: Provider): oauth.AuthorizationServer {
    const opened = servers.get(provider.id) ?? toServer(provider);
    servers.set(provider.id, opened);
    return opened;
  }

  return {
    /** Answers whether a return can be of this provider: who it names is that one (RFC 9207). */
    isReturnOf({ issuer, sendsIss }: Provider, { iss }: ProviderReturn): boolean {
      return iss === undefined ? !sendsIss : iss === issuer;
    },

    /**
     * Redeems a code, which can be done once, and gives what the provider says of the user. Throws ProviderRefusal,
     * ProviderTrouble, and AppError `unavailable` without the secrets.
     */
    async redeem(provider: Provider, flow: Flow, { code, iss }: ProviderReturn): Promise<Evidence> {
      const clientSecret = await getClientSecret(provider);
      const server = openServer(provider);
      const client = { client_id: provider.clientId, [oauth.clockTolerance]: skewSeconds };
      const options = createOptions(provider);
      try {
        const state = stateOf(flow);
        const parameters = new URLSearchParams({ code, state, ...(iss !== undefined && { iss }) });
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          oauth.ClientSecretPost(clientSecret),
          oauth.validateAuthResponse(server, client, parameters, state),
          provider.redirectUris[flow.index] ?? "",
          codeVerifierOf(flow),
          options,
        );
        await assertNoError(response);
        if (provider.jwksUri === undefined) {
          const { access_token: token } = await oauth.processAuthorizationCodeResponse(
            server,
            client,
            response,
          );
          return await readGithubEvidence(provider, (path) => ask(`${provider.apiUrl}${path}`, token));
        }
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: nonceOf(flow),
          requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(server, response, options);
        const claims = oauth.getValidatedIdTokenClaims(tokens) ?? {};
        // The library takes a token from the future.
        if (!(Number((claims as { iat?: unknown }).iat) <= clock() + skewSeconds))
          throw new ProviderRefusal("ID token refused");
        return readTokenEvidence(provider, claims as Record<string, unknown>);
      } catch (error) {
        if (error instanceof ProviderTrouble || error instanceof ProviderRefusal) throw error;
        throw new ProviderRefusal("ID token refused", error);
      }
    },
  };
}

function toServer(provider: Provider): oauth.AuthorizationServer {
  const { issuer, tokenEndpoint, jwksUri, algorithms, sendsIss } = provider;
  return {
    issuer,
    token_endpoint: tokenEndpoint,
    ...(jwksUri !== undefined && { jwks_uri: jwksUri }),
    id_token_signing_alg_values_supported: algorithms,
    authorization_response_iss_parameter_supported: sendsIss,
  };
}

/** Some answer 200 with an error in it (GitHub). */
async function assertNoError(response: globalThis.Response): Promise<void> {
  const { error } = (await response.json()) as { error?: unknown };
  if (error === undefined) return;
  if (ourFaults.includes(String(error))) throw new ProviderTrouble(`the provider says ${String(error)}`);
  throw new ProviderRefusal("code refused");
}
