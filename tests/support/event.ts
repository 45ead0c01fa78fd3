import { randomUUID } from "node:crypto";
import { getSchema } from "../../openapi/document.ts";
import { type OperationName, operations } from "../../openapi/operations/index.ts";
import { gatewayRoutes } from "./declared.ts";

/** Functions whose routes are no part of the contract. */
const undescribed = { page: "GET /", notFound: "$default" };
const { docs: _, ...described } = operations;

/** The name of a function that has a route, as in functions.yml. */
export type RouteName = keyof typeof described | keyof typeof undescribed;

/** Every function that has a route, with the first of its routes. */
export const routes = {
  ...Object.fromEntries(Object.entries(described).map(([name, { route }]) => [name, route])),
  ...undescribed,
} as Record<RouteName, string>;

export const routeNames = Object.keys(routes) as RouteName[];

/** What a caller with these cookies sends to a route, by the example of its description. */
export function exampleRequest(name: string, cookies: string[]): ClientRequest {
  const { body } = operations[name as OperationName] ?? {};
  if (!body || body.isOptional) return { cookies };
  const { example } = getSchema(body.schema);
  if (body.mediaType === undefined) return { cookies, body: example };
  const form = new URLSearchParams(example as Record<string, string>).toString();
  return { cookies, body: form, headers: { "content-type": body.mediaType } };
}

/** A request as a client makes it. An object as body is sent as JSON, a string as it is. */
export interface ClientRequest {
  method?: string;
  path?: string;
  /** The route that the gateway has chosen, where the path does not say so. */
  routeKey?: string;
  headers?: Record<string, string>;
  cookies?: string[];
  pathParameters?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  isBase64Encoded?: boolean;
  /** What the gateway's clock shows, in epoch seconds. */
  receivedAt?: number;
}

/** Builds the event that an HTTP API makes of a request (payload format 2.0). */
export function createEvent(route: RouteName, request: ClientRequest = {}) {
  // The authorizer stands before routes, and has none.
  const [defaultMethod, defaultPath = "/"] = (routes[route] ?? routes.movies).split(" ");
  const { method = defaultMethod, path = defaultPath, cookies, pathParameters, query, body } = request;
  const own = `${method} ${path}`;
  // A function may have several routes; the gateway says which of them it is.
  const routeKey = gatewayRoutes.includes(own) ? own : routes[route];
  return {
    version: "2.0",
    routeKey: request.routeKey ?? routeKey,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: {
      host: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...request.headers,
    },
    ...(cookies && { cookies }),
    ...(pathParameters && { pathParameters }),
    ...(query && { queryStringParameters: query }),
    requestContext: {
      domainName: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.7", userAgent: "tests" },
      requestId: randomUUID(),
      routeKey,
      stage: "$default",
      timeEpoch: (request.receivedAt ?? Date.now() / 1000) * 1000,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    isBase64Encoded: request.isBase64Encoded ?? false,
  };
}
