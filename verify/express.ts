import type { IncomingMessage, ServerResponse } from "node:http";
import { assertRole } from "../lib/http/require-role.ts";
import { answerRefusal } from "./answer.ts";
import type { Claims } from "./claims.ts";
import type { Verifier } from "./verifier.ts";

declare global {
  namespace Express {
    interface Request {
      /** The claims of the caller, behind `authenticate`. */
      auth: Claims;
    }
  }
}

/** A middleware of Express 4 and 5, and of what else is called with Node's request and response. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Lets only callers with a live access token pass; their claims are `request.auth`. All others get a problem document. */
export function authenticate(verifier: Verifier): ExpressMiddleware {
  return answering(async (request) => {
    request.auth = await verifier.findCaller(request);
  });
}

/** Lets only callers pass whose `roles` claim names the role; stands behind `authenticate`. */
export function requireRole(role: string): ExpressMiddleware {
  return answering(({ auth }) => assertRole(auth, role));
}

function answering(
  check: (request: IncomingMessage & { auth: Claims }) => void | Promise<void>,
): ExpressMiddleware {
  return async (request, response, next) => {
    try {
      await check(request as IncomingMessage & { auth: Claims });
    } catch (error) {
      return refuse(error, response, next);
    }
    next();
  };
}

function refuse(error: unknown, response: ServerResponse, next: (error: unknown) => void): void {
  try {
    const { status, headers, body } = answerRefusal(error);
    response.writeHead(status, headers).end(body);
  } catch (unexpected) {
    next(unexpected);
  }
}
