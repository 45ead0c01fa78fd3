import { systemClock } from "../../lib/clock.ts";
import { createClientSecrets } from "../../lib/providers/client-secrets.ts";
import type { Provider } from "../../lib/providers/provider.ts";
import { parseProviderKey } from "../../lib/providers/provider-keys.ts";
import { ourFaults } from "../../lib/providers/redeem.ts";
import { fetchJson, readMetadata, toEntry } from "./discovery.ts";

/** What came of asking a provider: `ready`, or what to mend. */
export interface Checked {
  provider: string;
  is: "ready" | "refused" | "away" | "unclear" | "incomplete";
  detail: string;
}

const getClientSecret = createClientSecrets(systemClock);

/** What providers say of a code that is none, once they know the client. */
const ofCode = ["invalid_grant", "bad_verification_code"];

/**
 * Asks a provider whether it knows the client and its secret, whether its keys are there, and whether it still says what the setting
 * has; `stage` is what a command line ends with that is for the same stage.
 */
export async function checkProvider(provider: Provider, entry: unknown, stage: string): Promise<Checked> {
  const tell = (is: Checked["is"], detail: string): Checked => ({ provider: provider.id, is, detail });
  if (entry === undefined)
    return tell(
      "incomplete",
      `No secret is stored. Next: npm run providers -- secret ${provider.id}${stage}`,
    );
  try {
    const error = await sendCode(provider, entry);
    if (ourFaults.includes(error))
      return tell("refused", `It says ${error}: see clientId, secret and redirectUris.`);
    if (!ofCode.includes(error)) return tell("unclear", `To a code that is none it says ${error}.`);
    const fault = await findFault(provider);
    return fault ? tell("refused", fault) : tell("ready", "It knows the client and its secret.");
  } catch (error) {
    return error instanceof TypeError
      ? tell("incomplete", error.message)
      : tell("away", `It does not answer as it should: ${(error as Error).message}.`);
  }
}

/** The error with which it answers a code that is none, as it says it, if that is a plain word. */
async function sendCode(provider: Provider, entry: unknown): Promise<string> {
  const { clientId, redirectUris, tokenEndpoint, id } = provider;
  const secret = await getClientSecret(provider, parseProviderKey(id, entry));
  const body = new URLSearchParams({
    ...{ grant_type: "authorization_code", code: "no-code-at-all", redirect_uri: redirectUris[0] ?? "" },
    ...{ client_id: clientId, client_secret: secret, code_verifier: "a".repeat(43) },
  });
  const headers = {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
    "user-agent": "serverless-auth-api",
  };
  const response = await fetchJson(tokenEndpoint, { method: "POST", headers, body });
  const { error } = (await response.json()) as { error?: unknown };
  return typeof error === "string" && /^[a-z_]{1,64}$/.test(error)
    ? error
    : `status ${response.status}, and no error`;
}

/** What does not fit what the provider publishes. */
async function findFault({ jwksUri, ...provider }: Provider): Promise<string | undefined> {
  // GitHub issues no ID tokens.
  if (jwksUri === undefined) return undefined;
  const response = await fetchJson(jwksUri, { method: "GET", headers: { accept: "application/json" } });
  const { keys } = (await response.json()) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) return `There are no keys at ${jwksUri}.`;
  // Some publish no document; what works without it is not refused for that.
  const metadata = await readMetadata(provider.issuer).catch(() => undefined);
  if (!metadata) return undefined;
  const { algorithms: _, sendsIss = false, ...said } = toEntry(metadata);
  const had: Record<string, unknown> = { ...provider, jwksUri };
  const other = Object.entries(said).find(([name, value]) => had[name] !== value);
  if (other) {
    const [name, value] = other;
    return `Its discovery document has ${name} ${JSON.stringify(value)}, the setting ${JSON.stringify(had[name])}.`;
  }
  return provider.sendsIss && !sendsIss
    ? "It does not say that it sends iss; the setting has sendsIss."
    : undefined;
}
