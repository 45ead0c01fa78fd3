import { assertRole } from "../lib/http/require-role.ts";
import { answerRefusal } from "./answer.ts";
import type { Claims } from "./claims.ts";
import type { IncomingRequest, Verifier } from "./verifier.ts";

/** What a hook sees of Fastify's request. */
export interface FastifyRequestLike {
  raw: IncomingRequest;
}

/** What a hook needs of Fastify's reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** A hook of Fastify 5, for `onRequest` or `preHandler`. */
export type FastifyHook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>;

/** A request behind `authenticate`. */
type Authenticated = FastifyRequestLike & { auth: Claims };

/** Lets only callers with a live access token pass; their claims are `request.auth`. All others get a problem document. */
export function authenticate(verifier: Verifier): FastifyHook {
  return answering(async (request) => {
    request.auth = await verifier.findCaller(request.raw);
  });
}

/** Lets only callers pass whose `roles` claim names the role; stands behind `authenticate`. */
export function requireRole(role: string): FastifyHook {
  return answering(({ auth }) => assertRole(auth, role));
}

function answering(check: (request: Authenticated) => void | Promise<void>): FastifyHook {
  return async (request, reply) => {
    try {
      await check(request as Authenticated);
    } catch (error) {
      const { status, headers, body } = answerRefusal(error);
      reply.code(status);
      reply.headers(headers);
      return reply.send(body);
    }
  };
}
