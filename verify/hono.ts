import { assertRole } from "../lib/http/require-role.ts";
import { respondToRefusal } from "./answer.ts";
import type { Claims } from "./claims.ts";
import type { Verifier } from "./verifier.ts";

/** What a middleware sees of Hono's context, whose `Variables` have `auth: Claims`. */
export interface HonoContextLike {
  req: { raw: Request };
  get(name: "auth"): Claims;
  set(name: "auth", claims: Claims): void;
}

/** A middleware of Hono 4. */
export type HonoMiddleware = (
  context: HonoContextLike,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/** Lets only callers with a live access token pass; their claims are `c.get("auth")`. All others get a problem document. */
export function authenticate(verifier: Verifier): HonoMiddleware {
  return answering(async (context) => {
    context.set("auth", await verifier.findCaller(context.req.raw));
  });
}

/** Lets only callers pass whose `roles` claim names the role; stands behind `authenticate`. */
export function requireRole(role: string): HonoMiddleware {
  return answering((context) => assertRole(context.get("auth"), role));
}

function answering(check: (context: HonoContextLike) => void | Promise<void>): HonoMiddleware {
  return async (context, next) => {
    try {
      await check(context);
    } catch (error) {
      return respondToRefusal(error);
    }
    await next();
    return undefined;
  };
}
