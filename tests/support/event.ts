import { randomUUID } from "node:crypto";

/** The routes by the name of their function. */
export const routes = {
  register: "POST /auth/register",
  login: "POST /auth/login",
  refresh: "POST /auth/refresh",
  logout: "POST /auth/logout",
  movies: "GET /movies",
  me: "GET /auth/me",
  "list-sessions": "GET /auth/sessions",
  "revoke-session": "DELETE /auth/sessions/{sessionId}",
  "revoke-all-sessions": "DELETE /auth/sessions",
  "change-password": "POST /auth/password",
  "export-account": "GET /auth/account",
  "delete-account": "DELETE /auth/account",
  jwks: "GET /.well-known/jwks.json",
  discovery: "GET /.well-known/openid-configuration",
  openapi: "GET /openapi.json",
  page: "GET /",
  "not-found": "$default",
} as const;

/** The name of a function. */
export type RouteName = keyof typeof routes;

/** The name in serverless.yml of a route's function. */
export const functionOf = (route: RouteName): string =>
  route.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** A request as a client makes it. An object as body is sent as JSON, a string as it is. */
export interface ClientRequest {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  cookies?: string[];
  pathParameters?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  isBase64Encoded?: boolean;
}

/** Builds the event that an HTTP API makes of a request (payload format 2.0). */
export function createEvent(route: RouteName, request: ClientRequest = {}) {
  const [defaultMethod, defaultPath = "/"] = routes[route].split(" ");
  const {
    method = defaultMethod,
    path = defaultPath,
    headers = {},
    cookies,
    pathParameters,
    query,
    body,
    isBase64Encoded,
  } = request;
  return {
    version: "2.0",
    routeKey: routes[route],
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: {
      host: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(cookies && { cookies }),
    ...(pathParameters && { pathParameters }),
    ...(query && { queryStringParameters: query }),
    requestContext: {
      domainName: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.7", userAgent: "tests" },
      requestId: randomUUID(),
      routeKey: routes[route],
      stage: "$default",
      timeEpoch: Date.now(),
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    isBase64Encoded: isBase64Encoded ?? false,
  };
}
