import type { Config } from "../config.ts";
import { AppError, invalidMember } from "../errors.ts";
import { createAuthorizationUrl } from "../providers/authorization-url.ts";
import { createFlow, nonceOf, stateOf } from "../providers/flow.ts";
import { findRedirectUri } from "./begin-body.ts";
import type { ClientMode } from "./client-mode.ts";
import type { CookieSettings } from "./cookies.ts";
import type { ApiEvent } from "./event.ts";
import { type FlowEvent, serializeFlowCookies } from "./flow-cookie.ts";
import { type ApiResponse, json } from "./response.ts";

interface BeginEvent extends Pick<ApiEvent, "body" | "pathParameters">, FlowEvent {
  mode: ClientMode;
}

interface BeginOptions {
  config: CookieSettings & Config<"identityProviders">;
  /** The session that an identity is to be linked to. */
  sessionId?: string;
  /** Epoch seconds. */
  now: number;
}

/**
 * Begins a sign-in at the provider in the path: 200 with the URL there. What is to be known of it goes into a cookie, or to a bearer
 * client as `flow`. Throws AppError `not_found`, `invalid_body`.
 */
export function beginFlow(
  { body, pathParameters, mode, flows }: BeginEvent,
  { config, sessionId, now }: BeginOptions,
): ApiResponse {
  const provider = config.identityProviders.find(({ id }) => id === pathParameters.provider);
  if (!provider) throw new AppError("not_found", { detail: "There is no such provider." });
  const { id: providerId, redirectUris, page } = provider;
  const asked = findRedirectUri(body);
  // Compared as it is: what is no text is none of them. Where a form comes back, the page that asks for itself is the one behind that.
  const index = asked === undefined || asked === page ? 0 : redirectUris.indexOf(asked as string);
  if (index < 0) throw invalidMember("redirectUri", "must be one of the provider's in IDENTITY_PROVIDERS");
  const flow = createFlow({ providerId, sessionId, index }, now);
  const begun = {
    authorizationUrl: createAuthorizationUrl(provider, flow),
    state: stateOf(flow),
    nonce: nonceOf(flow),
  };
  if (mode === "bearer") return json(200, { ...begun, flow: flow.text });
  return json(200, begun, serializeFlowCookies(flow, flows, config));
}
