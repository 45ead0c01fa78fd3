/** What the Authorization header presents. */
export type Bearer = { is: "none" } | { is: "malformed" } | { is: "bearer"; token: string };

/** Reads `Authorization: Bearer <token>` (RFC 6750, 2.1; the scheme in any case). Other schemes are malformed. */
export function parseBearer(authorization: string | undefined): Bearer {
  if (authorization === undefined) return { is: "none" };
  const [, token] = /^bearer +([^\s]+)$/i.exec(authorization.trim()) ?? [];
  return token === undefined ? { is: "malformed" } : { is: "bearer", token };
}
