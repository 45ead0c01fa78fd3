/** What the service proves itself with to each provider, by the provider's id. */
export type ProviderKeys = ReadonlyMap<string, { clientSecret: string }>;

/** Takes a JSON object such as `{"google":{"clientSecret":"…"}}`. Throws TypeError, which quotes nothing of it. */
export function parseProviderKeys(text: string): ProviderKeys {
  const keys = new Map<string, { clientSecret: string }>();
  for (const [id, entry] of Object.entries(parseObject(text))) {
    const { clientSecret, ...others } = (entry ?? {}) as Record<string, unknown>;
    const isSound = typeof clientSecret === "string" && /^[\x21-\x7e]{1,1024}$/.test(clientSecret);
    if (!isSound || Object.keys(others).length > 0)
      throw new TypeError('must be a JSON object such as {"google":{"clientSecret":"…"}}');
    keys.set(id, { clientSecret });
  }
  return keys;
}

function parseObject(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  } catch {
    // The parser's message quotes the text.
  }
  throw new TypeError('must be a JSON object such as {"google":{"clientSecret":"…"}}');
}
