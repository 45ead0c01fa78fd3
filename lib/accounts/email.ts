const maxBytes = 254;
const local = /^[^\s@\p{C}\uFFFD]{1,64}$/u;
const label = /^[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;

/** The one form of an e-mail address under which an account is stored: trimmed, NFKC, lower case. Idempotent for addresses. */
export function normalizeEmail(text: string): string {
  return text.trim().normalize("NFKC").toLowerCase().normalize("NFKC");
}

/** Answers whether a normalised text can be an address: `local@domain`, at most 254 bytes (RFC 5321, 4.5.3.1). */
export function isEmail(text: string): boolean {
  // Length first: nothing below runs over more than 254 characters.
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes || !text.isWellFormed()) return false;
  const [name = "", domain = "", ...rest] = text.split("@");
  return rest.length === 0 && local.test(name) && domain.split(".").every((part) => label.test(part));
}
