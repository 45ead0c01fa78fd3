import type { ApiResponse } from "../../lib/http/response.ts";
import { createEvent, type RouteName, routes } from "./event.ts";
import type { Sandbox } from "./sandbox.ts";

/** A request as it arrives over HTTP. */
export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  cookies?: string[] | undefined;
  body?: string | undefined;
}

/** Answers a request as API Gateway does: finds the route, makes the event, calls the function. */
export function answerHttp(sandbox: Sandbox, request: HttpRequest): Promise<ApiResponse> {
  const { method, headers, cookies, body } = request;
  const url = new URL(request.url, "https://gateway.invalid");
  const { route, pathParameters } = findRoute(sandbox, method, url.pathname);
  const query = Object.fromEntries(url.searchParams);
  const event = createEvent(route, {
    ...{ method, path: url.pathname, headers },
    ...(cookies && cookies.length > 0 && { cookies }),
    ...(pathParameters && { pathParameters }),
    ...(url.search && { query }),
    ...(body && { body }),
  });
  return sandbox.invoke(route, event);
}

function findRoute({ deployed }: Sandbox, method: string, path: string) {
  for (const [route, key] of Object.entries(routes)) {
    if (!deployed.includes(route)) continue;
    const [routeMethod, routePath = ""] = key.split(" ");
    const pattern = new RegExp(`^${routePath.replace(/\{(\w+)\}/, "(?<$1>[^/]+)")}$`);
    const match = routeMethod === method ? pattern.exec(path) : null;
    if (match) return { route: route as RouteName, pathParameters: match.groups && decode(match.groups) };
  }
  return { route: "notFound" as const, pathParameters: undefined };
}

function decode(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
}
