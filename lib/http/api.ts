import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import { logRequest } from "../log.ts";
import { type ApiEvent, findRouteKey, parseEvent, type RawCredentials } from "./event.ts";
import { toProblem } from "./problem.ts";
import type { ApiResponse } from "./response.ts";

/** What a middleware sees of a request. */
export interface ApiRequest<Event extends ApiEvent = ApiEvent> {
  event: Event;
  credentials: RawCredentials;
}

/**
 * A check before the handler. It may throw AppError; its type parameters are what it adds to the event and what an
 * earlier check must have added.
 */
export interface Middleware<Added = unknown, Needed extends ApiEvent = ApiEvent> {
  before: (request: ApiRequest<Needed>) => void | Promise<void>;
  /** Never set; lets the compiler see what was added. */
  added?: Added;
}

/** A route being wired: checks in their order, then the handler, which sees only what the checks added. */
export interface Route<Event extends ApiEvent> {
  use<Added>(middleware: Middleware<Added, Event>): Route<Event & Added>;
  handler(handle: (event: Event, call: ApiCall) => Promise<ApiResponse> | ApiResponse): LambdaHandler;
}

/** What a handler may know of the invocation. */
export interface ApiCall {
  /** Aborts when the function runs out of time and 503 is answered in its stead: nothing may go on after that. */
  signal: AbortSignal;
}

/** What Lambda calls. */
export type LambdaHandler = (event: unknown, context: Context) => Promise<ApiResponse>;

/** Time kept back, before Lambda would cut the function off, to answer 503. */
const timeoutEarlyInMillis = 500;

/**
 * Starts the stack of a route: events come in normalised and without credentials, errors go out as problems, and each
 * request is one line in the log.
 */
export function api(): Route<ApiEvent> {
  const { stage } = readConfig(["stage"]);
  const stack = middy({
    timeoutEarlyInMillis,
    timeoutEarlyResponse: () => {
      throw new AppError("unavailable", { cause: new Error("the function ran out of time") });
    },
  });
  stack.before((request) => {
    const { event, credentials } = parseEvent(request.event);
    request.event = event;
    Object.assign(request.internal, { credentials });
  });
  stack.onError((request) => {
    request.response = toProblem(request.error, request.context.awsRequestId);
  });

  const route: Route<ApiEvent> = {
    use({ before }) {
      stack.before((request) => {
        const { credentials } = request.internal as unknown as ApiRequest;
        return before({ event: request.event as ApiEvent, credentials });
      });
      return route as never;
    },
    handler(handle) {
      // middy's own type would let a handler ask for what no middleware has added.
      const handleCall = (event: ApiEvent, _context: Context, call: ApiCall) => handle(event, call);
      const answer = stack.handler(handleCall as never) as unknown as LambdaHandler;
      return (event, context) => {
        const request = { requestId: context.awsRequestId, route: findRouteKey(event), stage };
        return logRequest(request, () => answer(event, context));
      };
    },
  };
  return route;
}
