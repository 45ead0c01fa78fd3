import type * as v from "valibot";
import type { Config } from "../config.ts";
import { AppError, invalidMember } from "../errors.ts";
import { note } from "../log.ts";
import { type Flow, findFlow } from "../providers/flow.ts";
import type { Provider } from "../providers/provider.ts";
import type { ProviderReturn, Redeem } from "../providers/redeem.ts";
import { providerRefusal } from "../providers/refusals.ts";
import type { ClientMode } from "./client-mode.ts";
import type { CookieSettings } from "./cookies.ts";
import type { ApiEvent } from "./event.ts";
import { type FlowEvent, flowCookieName } from "./flow-cookie.ts";
import { parseBody } from "./schemas.ts";

interface ReturnEvent extends Pick<ApiEvent, "body" | "pathParameters">, FlowEvent {
  mode: ClientMode;
}

/** What every body has that ends something at a provider. */
type ReturnSchema = v.GenericSchema<unknown, ProviderReturn & { state: string; flow?: string }>;

interface ReturnOptions<Schema extends ReturnSchema> {
  body: Schema;
  config: Pick<CookieSettings, "cookieName"> & Config<"identityProviders">;
  isReturnOf: Redeem["isReturnOf"];
  /** The session that began it; undefined for a sign-in. */
  sessionId?: string;
  /** Epoch seconds. */
  now: number;
}

/**
 * Reads what a page was opened with when the provider in the path had sent the browser back, and finds its flow; nobody is asked.
 * Throws AppError `not_found`, `invalid_body`, and `sign_in_over` where the sign-in was begun in another browser, for another session
 * or provider, or too long ago.
 */
export function findReturn<Schema extends ReturnSchema>(
  { body, pathParameters, mode, flows }: ReturnEvent,
  { body: schema, config, isReturnOf, sessionId, now }: ReturnOptions<Schema>,
): Omit<v.InferOutput<Schema>, "flow"> & { provider: Provider; flow: Flow } {
  const provider = config.identityProviders.find(({ id }) => id === pathParameters.provider);
  if (!provider) throw new AppError("not_found", { detail: "There is no such provider." });
  note({ provider: provider.id });
  const { flow: given, ...returned } = parseBody<Schema>(schema, body);
  if (given !== undefined && mode === "cookie") throw invalidMember("flow", "is for bearer clients");
  const { state } = returned;
  const text = mode === "bearer" ? given : flows.get(flowCookieName(state, config));
  const flow = findFlow(text, { state, providerId: provider.id, now });
  if (!flow || flow.sessionId !== sessionId || !isReturnOf(provider, returned))
    throw providerRefusal("sign_in_over", { reason: "flow unknown" });
  return { ...returned, provider, flow };
}
