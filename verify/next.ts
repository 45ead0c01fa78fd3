import { AppError } from "../lib/errors.ts";
import { assertRole } from "../lib/http/require-role.ts";
import { respondToRefusal } from "./answer.ts";
import type { Claims } from "./claims.ts";
import type { IncomingRequest, Verifier } from "./verifier.ts";

/** What a handler gets beside the request: what Next.js hands it, `params` among them, and the claims of the caller. */
export type Authenticated<Context> = Context & { auth: Claims };

/** What else is asked of a caller. */
export interface AuthRules {
  /** The `roles` claim must name it. */
  role?: string;
}

/** A route handler of the app router (`app/.../route.ts`) that only callers with a live access token reach. */
export function withAuth<Incoming extends Request, Context>(
  verifier: Verifier,
  handle: (request: Incoming, context: Authenticated<Context>) => Response | Promise<Response>,
  { role }: AuthRules = {},
): (request: Incoming, context: Context) => Promise<Response> {
  return async (request, context) => {
    let auth: Claims;
    try {
      auth = await verifier.findCaller(request);
      if (role !== undefined) assertRole(auth, role);
    } catch (error) {
      return respondToRefusal(error);
    }
    return handle(request, { ...context, auth });
  };
}

/**
 * The claims of whoever asks for a page, or undefined: for server components, `findAuth(verifier, await headers())`. Rejects
 * with AuthError `unavailable` if there is no key set.
 */
export async function findAuth(
  verifier: Verifier,
  headers: IncomingRequest["headers"],
): Promise<Claims | undefined> {
  try {
    return await verifier.findCaller({ method: "GET", headers });
  } catch (error) {
    if (error instanceof AppError && error.code !== "unavailable") return undefined;
    throw error;
  }
}
