import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ApiResponse } from "../lib/http/response.ts";
import { type ClientRequest, createEvent, type RouteName } from "../tests/support/event.ts";
import { bundleOf } from "./bundle-paths.ts";

const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 10_000 };
/** What says no to everybody. */
const refusing: string[] = ["notFound", "refuseRegistration"];

/** What Lambda would call. Its environment is this process's own. */
export async function loadHandler(bundle: string): Promise<(event: unknown) => Promise<ApiResponse>> {
  const module = await import(pathToFileURL(resolve(bundle)).href);
  return (event) => module.handler(event, context);
}

/** What a function answers to a request, or to a stream. */
type Answer = Partial<ApiResponse> & { batchItemFailures?: unknown[] };

/** Throws Error where a function did not do what it is there for. */
export function assertDone(name: string, answer: Answer): void {
  const { statusCode = 200, batchItemFailures = [] } = answer;
  const isRefused = statusCode >= 400 && !refusing.includes(name);
  if (isRefused || batchItemFailures.length > 0) throw new Error(`${name}: ${JSON.stringify(answer)}`);
}

/** Calls a function in this process. Throws Error where it does not do what it is there for. */
export async function call(name: RouteName, request?: ClientRequest): Promise<ApiResponse> {
  const response = await (await loadHandler(bundleOf(name)))(createEvent(name, request));
  assertDone(name, response);
  return response;
}
