import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import { logRequest, note } from "../log.ts";
import { hstsIncludeSubdomains, originSettings } from "../settings.ts";
import { runUntil } from "../time-limit.ts";
import type { FindClientIp } from "./client-ip.ts";
import { createCrossSiteRule, isStateChanging } from "./cross-site.ts";
import { type ApiEvent, type ClientEvent, findRouteKey, parseEvent, type RawCredentials } from "./event.ts";
import { toProblem } from "./problem.ts";
import { type ApiResponse, hstsWithSubdomains } from "./response.ts";

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
  handler(handle: (event: Event) => Promise<ApiResponse> | ApiResponse): LambdaHandler;
}

/** What Lambda calls. */
export type LambdaHandler = (event: unknown, context: Context) => Promise<ApiResponse>;

/** What a route does with requests that may change something. */
export interface ChangeRules {
  /** Gives what `event.body` is to be; throws AppError for a body that the route does not take. */
  parseBody: (event: ApiEvent) => unknown;
  /** Pages of other sites are refused, unless this is typed out. Whoever reads the cookie refuses them all the same. */
  crossSite?: "let in" | undefined;
  /** Without it no address reaches the route. */
  findClientIp?: FindClientIp;
}

/** What a request carries between its checks. */
type Internal = Pick<ApiRequest, "credentials">;

/** What every route reads. */
const routeSettings = { ...originSettings, hstsIncludeSubdomains };

/** Time kept back, before Lambda would cut the function off, to answer 503. */
const timeoutEarlyInMillis = 500;

/**
 * Starts the stack of a route: events come in normalised and without credentials, errors go out as problems, and each
 * request is one line in the log.
 */
export function createRoute({
  parseBody,
  crossSite,
  findClientIp,
}: ChangeRules): Route<ApiEvent & ClientEvent> {
  const checks: Middleware<unknown, ApiEvent & ClientEvent>["before"][] = [];
  const route: Route<ApiEvent & ClientEvent> = {
    use({ before }) {
      checks.push(before);
      return route as never;
    },
    handler(handle) {
      // Read after what the route itself reads, which tells of more settings at once.
      const { stage, hstsIncludeSubdomains: hsts, ...origins } = readConfig(routeSettings);
      const assertSameSite = createCrossSiteRule(origins);
      const stack = middy<ApiEvent & ClientEvent, ApiResponse, Error, Context, Internal>({
        timeoutEarlyInMillis,
        timeoutEarlyResponse: () => {
          throw new AppError("unavailable", { cause: new Error("the function ran out of time") });
        },
      });
      stack.before((request) => {
        const { event, credentials } = parseEvent(request.event, assertSameSite, findClientIp);
        note({ ip: event.sourceIp });
        if (crossSite !== "let in") assertSameSite(event);
        event.body = isStateChanging(event) ? parseBody(event) : undefined;
        request.event = Object.assign(event, { requestId: request.context.awsRequestId });
        request.internal.credentials = credentials;
      });
      for (const check of checks)
        stack.before(({ event, internal: { credentials } }) => check({ event, credentials }));
      stack.onError((request) => {
        request.response = toProblem(request.error, request.context.awsRequestId);
      });
      const answer = stack.handler((event, _context, { signal }) => {
        // It aborts when the function runs out of time and 503 is answered in its stead.
        return runUntil(signal, () => handle(event));
      });
      return (event, context) => {
        const request = { requestId: context.awsRequestId, route: findRouteKey(event), stage };
        return logRequest(request, async () => {
          const response = await answer(event as never, context);
          const headers = { ...response.headers, ...hstsWithSubdomains };
          return hsts === "on" ? { ...response, headers } : response;
        });
      };
    },
  };
  return route;
}
