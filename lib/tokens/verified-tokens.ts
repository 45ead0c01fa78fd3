import { hash } from "node:crypto";
import type { AccessClaims } from "./access-claims.ts";

/** What a sandbox remembers of access tokens that it has verified: their claims, by SHA-256 of the tokens' bytes. */
export interface VerifiedTokens {
  /** The claims of exactly this token, a copy for each caller; nothing of what depends on the time is checked. */
  find(token: string): AccessClaims | undefined;
  /** Remembers a token whose signature and claims have just been verified; the oldest is forgotten for it. */
  add(token: string, claims: AccessClaims): void;
}

/** About half a megabyte: a hash and some 400 bytes of claims each. Never more than 4 MB, by the size of a token. */
const maxTokens = 1_000;

/**
 * Makes an empty memory of verified tokens. A sandbox's keys and settings never change, so only time can turn its
 * verdict. Only genuine tokens get in: whoever has none cannot push others out. The token itself is not kept.
 */
export function createVerifiedTokens(): VerifiedTokens {
  const claimsTexts = new Map<string, string>();
  return {
    find(token) {
      const text = claimsTexts.get(idOf(token));
      return text === undefined ? undefined : JSON.parse(text);
    },
    add(token, claims) {
      const [oldest] = claimsTexts.keys();
      if (claimsTexts.size >= maxTokens) claimsTexts.delete(oldest as string);
      claimsTexts.set(idOf(token), JSON.stringify(claims));
    },
  };
}

function idOf(token: string): string {
  return hash("sha256", token, "base64url");
}
