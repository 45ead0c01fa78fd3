import { trimBlanks } from "./trim-blanks.ts";

/** What the Authorization header presents. */
export type Bearer = { is: "none" } | { is: "malformed" } | { is: "bearer"; token: string };

/** The scheme as a whole word: `Bearer-Token` is another one (RFC 9110, 5.6.2 and 11.4). */
const ours = /^bearer(?![\w!#$%&'*+.^`|~-])/i;

/**
 * Reads `Authorization: Bearer <token>` (RFC 6750, 2.1; the scheme in any case). Another scheme is somebody else's, such
 * as the Basic of a proxy in front, and as good as no header.
 */
export function parseBearer(authorization = ""): Bearer {
  const text = trimBlanks(authorization);
  if (!ours.test(text)) return { is: "none" };
  const [scheme = ""] = /^bearer +/i.exec(text) ?? [];
  const token = text.slice(scheme.length);
  return scheme === "" || /\s/.test(token) ? { is: "malformed" } : { is: "bearer", token };
}
