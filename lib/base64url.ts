/** The bytes of a canonical base64url text (RFC 4648, 3.5: no padding, no bits left over); undefined for any other. */
export function parseBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
