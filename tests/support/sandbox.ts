import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { LambdaHandler } from "../../lib/http/route.ts";
import { runAs } from "./caller.ts";
import { declared, pathOf } from "./declared.ts";
import { assertDescribed } from "./description.ts";
import { type ClientRequest, createEvent, type RouteName, routeNames } from "./event.ts";
import { keepSecrets } from "./log.ts";
import { keepAnswerSecrets, keepTokens } from "./pair.ts";

export type Environment = Record<string, string>;

/** One sandbox of every function: calls by route name, each bundle loaded at its first call. */
export type Sandbox = Record<RouteName, (request?: ClientRequest) => Promise<ApiResponse>> & {
  /** Calls a function with whatever Lambda might be given, `remainingMs` before it is cut off. */
  invoke(route: RouteName, event: unknown, remainingMs?: number, requestId?: string): Promise<ApiResponse>;
  /** The functions that a deployment with its REGISTRATION has; by default whoever wants to may register. */
  deployed: readonly string[];
  /** Calls a function that has no route: what it answers is Lambda's to read. */
  feed(name: string, event: unknown): Promise<unknown>;
};

/**
 * Makes a sandbox of its own: nothing but the environment is shared with others. Whatever a function answers must be
 * described in the API description, or the call throws.
 */
export function createSandbox(environment: Environment): Sandbox {
  const handlers: Record<string, Promise<LambdaHandler>> = {};

  async function call(name: string, event: unknown, context: Context): Promise<ApiResponse> {
    handlers[name] ??= loadHandler(name, environment);
    const handler = await handlers[name];
    return runAs(name, () => handler(event, context));
  }
  const invoke: Sandbox["invoke"] = async (route, event, remainingMs, requestId) => {
    keepEventSecrets(event);
    const response = await call(route, event, createContext(remainingMs, requestId));
    keepAnswerSecrets(response);
    assertDescribed(route, event, response);
    return response;
  };
  const callOf = (name: RouteName) => (request?: ClientRequest) => invoke(name, createEvent(name, request));
  const calls = routeNames.map((name) => [name, callOf(name)]);
  const feed: Sandbox["feed"] = (name, event) => call(name, event, createContext());
  const deployed = declared.deployed[environment.REGISTRATION ?? "open"] ?? [];
  return { ...Object.fromEntries(calls), invoke, feed, deployed };
}

let turn: Promise<unknown> = Promise.resolve();

/** Imports a fresh instance of a bundled function; the environment holds for the import, and for it alone. */
export function loadHandler(name: string, environment: Environment): Promise<LambdaHandler> {
  const handler = turn.then(() => importHandler(name, environment));
  turn = handler.catch(() => undefined);
  return handler;
}

async function importHandler(name: string, environment: Environment): Promise<LambdaHandler> {
  const bundle = new URL(`../../.local/test/bundles/${pathOf(name)}.mjs`, import.meta.url);
  bundle.search = randomUUID();
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    const { handler } = await runAs(name, () => import(bundle.href));
    return handler;
  } finally {
    for (const variable of Object.keys(environment)) delete process.env[variable];
    Object.assign(process.env, before);
  }
}

/** The context of one invocation, `remainingMs` before it is cut off: by default later than any busy machine answers. */
export function createContext(remainingMs = 100_000, awsRequestId: string = randomUUID()): Context {
  return { awsRequestId, getRemainingTimeInMillis: () => remainingMs } as unknown as Context;
}

/** Any of the texts in an event may be a credential, whatever else its sender put there. */
function keepEventSecrets(event: unknown): void {
  const { headers, cookies, body } = (event ?? {}) as { headers?: object; cookies?: unknown; body?: unknown };
  const { authorization, "idempotency-key": key, ...others } = (headers ?? {}) as Record<string, unknown>;
  for (const text of [authorization, key]) {
    if (typeof text === "string") keepSecrets(text.replace(/^bearer /i, ""));
  }
  for (const text of [body, ...Object.values(others), ...(Array.isArray(cookies) ? cookies : [])]) {
    if (typeof text !== "string" || text.length > 100_000) continue;
    keepTokens(text);
    // Not every cookie of a test can be decoded; quotes and colons are all it takes.
    keepTokens(text.replaceAll("%22", '"').replaceAll("%3A", ":"));
  }
}
