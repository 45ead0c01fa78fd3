import { assertRole } from "../lib/http/require-role.ts";
import type { Claims } from "./claims.ts";

/** Throws AuthError `forbidden` unless the `roles` claim names the role. A role taken away works until the session's end. */
export function requireRole(claims: Claims, role: string): void {
  assertRole(claims, role);
}
