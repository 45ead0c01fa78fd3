import { AppError } from "../errors.ts";
import type { AccessClaims } from "../tokens/access-claims.ts";
import type { ApiEvent } from "./event.ts";
import type { Middleware } from "./route.ts";

interface RoleRule {
  /** Whose role it must be: `acme`, from the path, asks for the role `acme:admin`. Without one nobody passes. */
  of: (event: ApiEvent) => string | undefined;
}

/**
 * Lets only callers pass whose `roles` claim names the role; stands after `authenticate`, or it does not compile.
 * A role that `npm run users -- set-roles` takes away is gone with the next refresh: claims are decided at login, and it ends
 * all sessions. Throws AppError `forbidden`.
 */
export function requireRole(
  role: string,
  { of }: Partial<RoleRule> = {},
): Middleware<unknown, ApiEvent & { auth: AccessClaims }> {
  if (!of) return { before: ({ event }) => assertRole(event.auth, role) };
  return {
    before({ event }) {
      const owner = of(event);
      if (!owner) throw new AppError("forbidden", { detail: `This needs the role ${role}.` });
      assertRole(event.auth, `${owner}:${role}`);
    },
  };
}

/** Throws AppError `forbidden` if the `roles` claim does not name the role. */
export function assertRole({ roles }: Pick<AccessClaims, "roles">, role: string): void {
  if (!roles?.includes(role)) throw new AppError("forbidden", { detail: `This needs the role ${role}.` });
}
