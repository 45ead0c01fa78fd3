import { createHash } from "node:crypto";
import * as oauth from "oauth4webapi";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { type Evidence, readGithubEvidence, readTokenEvidence } from "./evidence.ts";
import { Response } from "./fetch-classes.ts";
import type { FetchJson, JsonRequest } from "./fetch-json.ts";
import { codeVerifierOf, type Flow, flowSeconds, nonceOf, stateOf } from "./flow.ts";
import type { Provider } from "./provider.ts";
import { ProviderRefusal, ProviderTrouble } from "./provider-error.ts";

/** What the page was opened with when the provider had sent the browser back to it. */
export interface ProviderReturn {
  code?: string | undefined;
  /** The provider's own name (RFC 9207). */
  iss?: string | undefined;
  /** In place of all that: what an app has that asked the provider's SDK. */
  idToken?: string | undefined;
}

/** Redeems the code of a sign-in. */
export type Redeem = ReturnType<typeof createRedeem>;

/** Clocks of providers differ from ours by so much. */
const skewSeconds = 60;

/** What is ours to mend: our client is not known to the provider as we know it. */
export const ourFaults = [
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

  /** A call of the provider's API with the access token, which is dropped then. Undefined where it does not show that. */
  async function ask(url: string, token: string): Promise<unknown> {
    const response = await fetchJson(url, {
      method: "GET",
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        "user-agent": "serverless-auth-api",
      },
    });
    if (response.status === 403 || response.status === 404) return undefined;
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
    isReturnOf({ issuer, sendsIss }: Provider, { iss, idToken }: ProviderReturn): boolean {
      return iss === undefined ? !sendsIss || idToken !== undefined : iss === issuer;
    },

    /**
     * Redeems a code, which can be done once, or takes the ID token that an app was given, and gives what the provider says of the user.
     * Throws ProviderRefusal, ProviderTrouble, and AppError `unavailable` without the secrets.
     */
    async redeem(provider: Provider, flow: Flow, returned: ProviderReturn): Promise<Evidence> {
      try {
        const { idToken } = returned;
        return await (idToken === undefined
          ? redeemCode(provider, flow, returned)
          : takeIdToken(provider, flow, idToken));
      } catch (error) {
        const isKnown = [ProviderTrouble, ProviderRefusal, AppError].some((kind) => error instanceof kind);
        throw isKnown ? error : new ProviderRefusal("ID token refused", error);
      }
    },
  };

  async function redeemCode(
    provider: Provider,
    flow: Flow,
    { code = "", iss }: ProviderReturn,
  ): Promise<Evidence> {
    const clientSecret = await getClientSecret(provider);
    const server = openServer(provider);
    const client = toClient(provider.clientId);
    const state = stateOf(flow);
    const parameters = new URLSearchParams({ code, state, ...(iss !== undefined && { iss }) });
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.ClientSecretPost(clientSecret),
      oauth.validateAuthResponse(server, client, parameters, state),
      provider.redirectUris[flow.index] ?? "",
      codeVerifierOf(flow),
      createOptions(provider),
    );
    await assertNoError(response);
    if (provider.jwksUri === undefined) {
      const { access_token: token } = await oauth.processAuthorizationCodeResponse(server, client, response);
      return readGithubEvidence(provider, (path) => ask(`${provider.apiUrl}${path}`, token));
    }
    const claims = await verify(provider, response, { client, nonce: nonceOf(flow) });
    return readTokenEvidence(provider, claims, [provider.clientId]);
  }

  /** It must have been issued to one of the provider's clients, for this flow, and since that began. */
  async function takeIdToken(provider: Provider, flow: Flow, idToken: string): Promise<Evidence> {
    const parties = [provider.clientId, ...provider.nativeClientIds];
    const told = peek(idToken);
    const audiences = [told.aud].flat();
    const client = toClient(parties.find((party) => audiences.includes(party)) ?? provider.clientId);
    // Apple's SDK is given the hash of the nonce, so that it is in the token.
    const hashed = createHash("sha256").update(nonceOf(flow)).digest("hex");
    const nonce = told.nonce === hashed ? hashed : nonceOf(flow);
    const answer = { access_token: "none", token_type: "bearer", id_token: idToken };
    const response = new Response(200, answer) as unknown as globalThis.Response;
    const claims = await verify(provider, response, { client, nonce });
    if (Number(claims.iat) < flow.until - flowSeconds - skewSeconds)
      throw new ProviderRefusal("ID token refused");
    return readTokenEvidence(provider, claims, parties);
  }

  /** Verifies the ID token of a response, and gives its claims. */
  async function verify(
    provider: Provider,
    response: globalThis.Response,
    { client, nonce }: { client: oauth.Client; nonce: string },
  ): Promise<Record<string, unknown>> {
    const server = openServer(provider);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, response, createOptions(provider));
    const claims = { ...oauth.getValidatedIdTokenClaims(tokens) };
    // The library takes a token from the future.
    if (!(Number(claims.iat) <= clock() + skewSeconds)) throw new ProviderRefusal("ID token refused");
    return claims;
  }
}

const toClient = (clientId: string): oauth.Client => ({
  client_id: clientId,
  [oauth.clockTolerance]: skewSeconds,
});

/** What an ID token says; nothing of it is verified. */
function peek(idToken: string): { aud?: unknown; nonce?: unknown } {
  return JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString());
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
