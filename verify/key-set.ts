import { AppError } from "../lib/errors.ts";
import { algorithmNames, type OurJwk, parsePublicKeySet } from "../lib/tokens/keys.ts";
import type { Fetch } from "./fetch.ts";

/** A key set takes no longer to come: a caller waits for it. */
const timeoutMs = 3_000;

/** Asks for the text of a key set (RFC 7517, section 5). Throws AppError `unavailable`. */
export async function fetchKeySet(jwksUri: string, fetch: Fetch): Promise<string> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(jwksUri, { redirect: "error", signal });
    if (response.status !== 200) throw new TypeError(`${jwksUri} answered ${response.status}`);
    return await response.text();
  } catch (cause) {
    throw new AppError("unavailable", { cause });
  }
}

/**
 * Parses a key set. Keys of algorithms that this version does not know are left out, so that the service can learn new ones.
 * Throws AppError `unavailable` for what is no key set.
 */
export function parseKeySet(text: string): OurJwk[] {
  try {
    const { keys } = JSON.parse(text) as { keys: { alg?: unknown }[] };
    const known = keys.filter(({ alg }) => algorithmNames.some((name) => name === alg));
    return parsePublicKeySet(JSON.stringify({ keys: known }));
  } catch (cause) {
    throw new AppError("unavailable", { cause });
  }
}
