import { assertRole } from "../lib/http/require-role.ts";
import { answerRefusal } from "./answer.ts";
import type { Claims } from "./claims.ts";
import type { Verifier } from "./verifier.ts";

/** What `authenticate` adds to the event. */
export interface AuthenticatedEvent {
  auth: Claims;
}

/** What a middleware sees of middy's request; `event` is one of an HTTP API (payload 2.0), with what was added to it. */
export interface MiddyRequestLike {
  event: AuthenticatedEvent;
}

/** A refusal as a function answers it. */
export interface LambdaAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** A middleware of middy 6 and 7. What it returns ends the request. */
export interface MiddyMiddleware {
  before(request: MiddyRequestLike): Promise<LambdaAnswer | undefined>;
}

/** Lets only callers with a live access token pass; their claims are `event.auth`. All others get a problem document. */
export function authenticate(verifier: Verifier): MiddyMiddleware {
  return answering(async (event) => {
    event.auth = await verifier.findCallerOfEvent(event);
  });
}

/** Lets only callers pass whose `roles` claim names the role; stands behind `authenticate`. */
export function requireRole(role: string): MiddyMiddleware {
  return answering(({ auth }) => assertRole(auth, role));
}

function answering(check: (event: AuthenticatedEvent) => void | Promise<void>): MiddyMiddleware {
  return {
    async before({ event }) {
      try {
        await check(event);
        return undefined;
      } catch (error) {
        const { status, headers, body } = answerRefusal(error);
        return { statusCode: status, headers, body };
      }
    },
  };
}
