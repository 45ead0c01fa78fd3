import { createPrivateKey, type KeyObject } from "node:crypto";

/** What the service proves itself with to a provider: a secret, or the key that signs one (Apple). */
export type ProviderKey = { clientSecret: string } | { teamId: string; keyId: string; privateKey: KeyObject };

/** What the service proves itself with to each provider, by the provider's id. */
export type ProviderKeys = ReadonlyMap<string, ProviderKey>;

const fault = 'must be a JSON object such as {"google":{"clientSecret":"…"}} (docs/sign-in.md)';

/** Takes a JSON object such as `{"google":{"clientSecret":"…"}}`. Throws TypeError, which quotes nothing of it. */
export function parseProviderKeys(text: string): ProviderKeys {
  return new Map(Object.entries(parseObject(text)).map(([id, entry]) => [id, parseProviderKey(id, entry)]));
}

/**
 * Takes what stands there for one provider: `{"clientSecret":"…"}`, or Apple's `{"teamId":"…","keyId":"…","privateKey":"…"}` with the
 * text of its `.p8` file. Throws TypeError, which quotes nothing of it.
 */
export function parseProviderKey(id: string, entry: unknown): ProviderKey {
  const { clientSecret, teamId, keyId, privateKey, ...others } = (entry ?? {}) as Record<string, unknown>;
  if (Object.keys(others).length > 0) throw new TypeError(fault);
  const isSigned = teamId !== undefined || keyId !== undefined || privateKey !== undefined;
  if (!isSigned && isSecret(clientSecret)) return { clientSecret };
  if (clientSecret !== undefined || !isId(teamId) || !isId(keyId)) throw new TypeError(fault);
  const key = parsePrivateKey(privateKey);
  if (!key)
    throw new TypeError(`the privateKey of ${toName(id)} must be the text of a .p8 file, with a P-256 key`);
  return { teamId, keyId, privateKey: key };
}

const isSecret = (value: unknown): value is string =>
  typeof value === "string" && /^[\x21-\x7e]{1,1024}$/.test(value);
const isId = (value: unknown): value is string =>
  typeof value === "string" && /^[A-Za-z0-9]{1,32}$/.test(value);
const toName = (id: string) => (/^[a-z0-9-]{1,32}$/.test(id) ? id : "a provider");

function parsePrivateKey(pem: unknown): KeyObject | undefined {
  try {
    const key = createPrivateKey(String(pem));
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    // The error may quote the text.
    return undefined;
  }
}

function parseObject(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  } catch {
    // The parser's message quotes the text.
  }
  throw new TypeError(fault);
}
