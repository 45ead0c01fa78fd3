import { AuthError } from "./auth-error.ts";

/**
 * Makes a random key: 32 bytes in base64url, 43 characters. `crypto.randomUUID` is not there on plain http. Throws
 * AuthError `unsupported`.
 */
export function createKey(): string {
  if (!globalThis.crypto) throw new AuthError(0, { code: "unsupported", detail: "No crypto." });
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, 43)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
