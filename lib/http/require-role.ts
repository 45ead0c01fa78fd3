import { AppError } from "../errors.ts";
import type { AccessClaims } from "../tokens/access-claims.ts";
import type { ApiEvent } from "./event.ts";
import type { Middleware } from "./route.ts";

/**
 * Lets only callers pass whose `roles` claim names the role; stands after `authenticate`, or it does not compile.
 * A role taken away works until the session's end: claims are decided at login. Throws AppError `forbidden`.
 */
export function requireRole(role: string): Middleware<unknown, ApiEvent & { auth: AccessClaims }> {
  return { before: ({ event }) => assertRole(event.auth, role) };
}

/** Throws AppError `forbidden` if the `roles` claim does not name the role. */
export function assertRole({ roles }: Pick<AccessClaims, "roles">, role: string): void {
  if (!roles?.includes(role)) throw new AppError("forbidden", { detail: `This needs the role ${role}.` });
}
