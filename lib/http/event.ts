import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { parseBearer } from "./bearer.ts";
import type { FindClientIp } from "./client-ip.ts";

/** Credentials as they stood in the headers; nothing about them is checked but where the request came from. */
export interface RawCredentials {
  /** Every `name=value` of the Cookie header. Reading it throws AppError `cross_site_request` by the cross-site rule. */
  readonly cookies: string[];
  readonly authorization: string | undefined;
}

/** Client keys, and what a browser signed: a handler reads them by their names. */
const keyHeaders = ["session-key", "idempotency-key", "idempotency-key-previous", "secure-session-response"];

/**
 * A request of the HTTP API (payload format 2.0) after normalisation: lower-case header names, and neither cookies nor
 * Authorization nor a proxy's secret, so that whoever logs the event logs none. The body is still there, password included.
 */
export interface ApiEvent {
  /** Session-Key and the Idempotency-Keys are hidden from logs: only who asks for them by name sees them. */
  headers: Readonly<Record<string, string>>;
  /** What the JSON of the request body says; undefined without one, and on methods that change nothing. */
  body: unknown;
  isBase64Encoded: boolean;
  pathParameters: Readonly<Record<string, string | undefined>>;
  queryStringParameters: Readonly<Record<string, string | undefined>>;
  /** The route that the gateway chose, as it names it: `POST /auth/login`, `$default`. */
  routeKey: string;
  /** The path of the request, behind the key of an API mapping where there is one. */
  rawPath: string;
  method: string;
  /** Of a bearer client: no cookie came, and none is asked for. Where Auth-Mode decides what is answered, it alone says so. */
  isBearer: boolean;
  /** The gateway's own host name. */
  domainName: string | undefined;
  userAgent: string | undefined;
  /** When the request arrived by the gateway's own clock, epoch seconds. */
  receivedAt: number | undefined;
}

/** What only routes that may change something are told. */
export interface ClientEvent {
  /** The client's address: what a trusted proxy says (client-ip.ts), or the gateway saw. No client can forge it. */
  sourceIp: string | undefined;
  /** Lambda's id of the request, as it stands in the log and in problems. */
  requestId: string;
}

/**
 * Parses whatever Lambda was invoked with into an event and the credentials taken off it. Nobody gets at the cookies but
 * through `assertSameSite`, which throws AppError `cross_site_request`. Never throws itself. Without `findClientIp` nobody
 * learns the client's address.
 */
export function parseEvent(
  input: unknown,
  assertSameSite: (event: ApiEvent) => void,
  findClientIp?: FindClientIp,
): { event: ApiEvent & Pick<ClientEvent, "sourceIp">; credentials: RawCredentials } {
  const raw = asRecord(input) as Partial<APIGatewayProxyEventV2>;
  const context = asRecord(raw.requestContext);
  const http = asRecord(context.http);
  const { cookie, authorization, "x-proxy-secret": proxySecret, ...headers } = lowerCaseNames(raw.headers);
  for (const name of keyHeaders) if (Object.hasOwn(headers, name)) addHidden(headers, name, headers[name]);
  // Payload 2.0 moves cookies out of the headers; serverless-offline and function URLs may leave them there.
  const cookies = [...(Array.isArray(raw.cookies) ? raw.cookies : []), ...(cookie?.split(";") ?? [])];
  const event: ApiEvent & Pick<ClientEvent, "sourceIp"> = {
    headers,
    body: raw.body,
    isBase64Encoded: raw.isBase64Encoded === true,
    pathParameters: asRecord(raw.pathParameters) as Record<string, string>,
    queryStringParameters: asRecord(raw.queryStringParameters) as Record<string, string>,
    routeKey: findRouteKey(input),
    rawPath: asText(raw.rawPath) ?? "",
    method: asText(http.method) ?? "",
    isBearer:
      cookies.length === 0 &&
      (headers["auth-mode"]?.toLowerCase() === "bearer" || parseBearer(authorization).is === "bearer"),
    domainName: asText(context.domainName),
    sourceIp: findClientIp?.({ proxySecret, headers, sourceIp: asText(http.sourceIp) }),
    userAgent: asText(http.userAgent),
    receivedAt: typeof context.timeEpoch === "number" ? Math.floor(context.timeEpoch / 1000) : undefined,
  };
  return {
    event,
    credentials: {
      get cookies() {
        assertSameSite(event);
        return cookies.filter((text) => typeof text === "string");
      },
      authorization,
    },
  };
}

/** The route that the gateway chose, as it names it: `POST /auth/login`, `$default`. */
export function findRouteKey(input: unknown): string {
  return asText(asRecord(input).routeKey) ?? "";
}

/** Adds a member that neither JSON.stringify nor the console shows: credentials do not end in a log. */
export function addHidden<Name extends string, Value>(target: object, name: Name, value: Value): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false });
}

function lowerCaseNames(headers: unknown): Record<string, string> {
  const entries = Object.entries(asRecord(headers)).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value as string]));
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
