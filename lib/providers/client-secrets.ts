import { SignJWT } from "jose";
import type { Clock } from "../clock.ts";
import type { Provider } from "./provider.ts";
import type { ProviderKey } from "./provider-keys.ts";

/** Apple takes secrets that live for half a year; one that is needed for a moment lives for five minutes. */
const lifeSeconds = 300;
/** What is used has so long to live. */
const leftSeconds = 60;

/** Makes what gives the client secret of a provider. Apple's is a JWT, made once for each life of it. */
export function createClientSecrets(clock: Clock) {
  const made = new WeakMap<ProviderKey, { secret: string; until: number }>();

  return async function getClientSecret(
    { clientId, issuer }: Pick<Provider, "clientId" | "issuer">,
    key: ProviderKey,
  ): Promise<string> {
    if ("clientSecret" in key) return key.clientSecret;
    const now = clock();
    const known = made.get(key);
    if (known && known.until >= now + leftSeconds) return known.secret;
    const until = now + lifeSeconds;
    const secret = await new SignJWT({ iss: key.teamId, iat: now, exp: until, aud: issuer, sub: clientId })
      .setProtectedHeader({ alg: "ES256", kid: key.keyId })
      .sign(key.privateKey);
    made.set(key, { secret, until });
    return secret;
  };
}
