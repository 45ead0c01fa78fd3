import { trimBlanks } from "./trim-blanks.ts";

/** What the Authorization header presents. */
export type Bearer = { is: "none" } | { is: "malformed" } | { is: "bearer"; token: string };

/** Reads `Authorization: Bearer <token>` (RFC 6750, 2.1; the scheme in any case). Other schemes are malformed. */
export function parseBearer(authorization: string | undefined): Bearer {
  if (authorization === undefined) return { is: "none" };
  const text = trimBlanks(authorization);
  const [scheme = ""] = /^bearer +/i.exec(text) ?? [];
  const token = text.slice(scheme.length);
  return scheme === "" || /\s/.test(token) ? { is: "malformed" } : { is: "bearer", token };
}
