import { subscribe } from "node:diagnostics_channel";
import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from "node:http";

/** CORS as serverless.yml has it for the gateway; none without ALLOWED_ORIGINS. */
export interface Cors {
  allowedOrigins: string[];
  allowedHeaders: string[];
  allowedMethods: string[];
  exposedResponseHeaders: string[];
}

/** Answers a request itself, or lets it through: true. */
type Door = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What this machine calls itself in the header Host, with any port (RFC 9110 section 7.2). */
const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * For a port that is for programs only: a page of the web can reach every port of one's own machine. A page whose own name
 * leads here (DNS rebinding) is of the port's origin: its browser says so in Host alone.
 */
export const programsOnly: Door = ({ headers }, response) => {
  // Node's own fetch sends Sec-Fetch-Mode, and none of the others.
  const { host = "", "sec-fetch-mode": _, ...others } = headers;
  const isFromPage = Object.keys(others).some((name) => name === "origin" || name.startsWith("sec-fetch-"));
  const isProgram = ownHost.test(host) && !isFromPage;
  if (!isProgram) response.writeHead(403).end();
  return isProgram;
};

/**
 * For the port of the API: CORS as API Gateway answers it. It answers every preflight by itself, where CORS is on, and a
 * page of an origin that is not listed finds no permission. serverless-offline would allow every origin: it does not get
 * to see any. Functions do: it makes their events of the raw headers.
 */
export function answerCors(cors: Cors | null | undefined): Door {
  return (request, response) => {
    const { origin } = request.headers;
    delete request.headers.origin;
    if (!cors || origin === undefined) return true;
    const isListed = cors.allowedOrigins.includes(origin);
    if (isListed) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-credentials", "true");
    }
    if (request.method !== "OPTIONS" || !("access-control-request-method" in request.headers)) {
      if (isListed)
        response.setHeader("access-control-expose-headers", cors.exposedResponseHeaders.join(","));
      return true;
    }
    if (isListed) {
      response.setHeader("access-control-allow-methods", cors.allowedMethods.join(","));
      response.setHeader("access-control-allow-headers", cors.allowedHeaders.join(","));
    }
    response.writeHead(204).end();
    return false;
  };
}

/** Puts doors before the servers that listen from now on, by their port. */
export function putDoors(doors: Record<number, Door>): void {
  subscribe("tracing:net.server.listen:asyncStart", (message) => {
    const { server, options } = message as { server: unknown; options: { port?: number | string } };
    const door = doors[Number(options.port)];
    if (!door || !(server instanceof Server)) return;
    const listeners = server.listeners("request") as RequestListener[];
    server.removeAllListeners("request").on("request", (request, response) => {
      if (door(request, response)) for (const listener of listeners) listener(request, response);
    });
  });
}
