import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSecretReader } from "../secrets-manager.ts";
import { createStaticKeys, openSecretKeys } from "../tokens/key-source.ts";
import { createClientSecrets } from "./client-secrets.ts";
import { createFetchJson } from "./fetch-json.ts";
import type { Provider } from "./provider.ts";
import { ProviderTrouble } from "./provider-error.ts";
import { type ProviderKeys, parseProviderKeys } from "./provider-keys.ts";
import { createRedeem } from "./redeem.ts";

/**
 * Opens what asks providers who has signed in, with the client secrets where the settings say they are: read like signing
 * keys, once per sandbox, and again after five minutes.
 */
export async function openRedeem(
  {
    providerKeys,
    providerKeysSecret,
    providerTimeoutMs,
  }: Config<"providerKeys" | "providerKeysSecret" | "providerTimeoutMs">,
  clock: Clock,
) {
  const options = { name: "provider keys", clock };
  const toSource = (keys: ProviderKeys) => [{ activeFrom: 0, keys }];
  const toClientSecret = createClientSecrets(clock);
  const readSecret = providerKeysSecret === undefined ? undefined : createSecretReader(providerKeysSecret);
  const source = readSecret
    ? await openSecretKeys(async () => toSource(parseProviderKeys(await readSecret())), options)
    : createStaticKeys(toSource(providerKeys ?? new Map()), options);

  return createRedeem({
    clock,
    fetchJson: createFetchJson(providerTimeoutMs),
    async getClientSecret(provider: Provider): Promise<string> {
      await source.ready();
      const [current] = await source.get();
      const key = current?.keys.get(provider.id);
      if (key === undefined) throw new ProviderTrouble("the provider keys hold no client secret for it");
      return toClientSecret(provider, key);
    },
  });
}
