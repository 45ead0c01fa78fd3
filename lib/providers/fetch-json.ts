import http from "node:http";
import https from "node:https";
import { currentSignal } from "../time-limit.ts";
import { Response } from "./fetch-classes.ts";
import { ProviderTrouble } from "./provider-error.ts";

/** Key sets and tokens are smaller by far. */
const maxBytes = 65_536;

/** A request as oauth4webapi makes it. */
export interface JsonRequest {
  method: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** Asks a provider; it gets so many milliseconds for each answer. */
export type FetchJson = ReturnType<typeof createFetchJson>;

/** Makes what asks providers for JSON; each answer may take so long. */
export function createFetchJson(timeoutMs: number) {
  /**
   * Asks once: no redirect is followed, nothing is repeated, and no connection is used a second time, which might break after the
   * provider has worked. Throws ProviderTrouble for whatever is no answer: too late, too long, a redirect, a limit, 5xx, not JSON.
   */
  return async function fetchJson(url: string, { method, headers, body }: JsonRequest): Promise<Response> {
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), currentSignal() ?? []].flat());
    const sent = send(new URL(url), { method, headers, signal }, body === undefined ? "" : String(body));
    const { status, isLimit, text } = await sent.catch((error: unknown) => {
      throw error instanceof ProviderTrouble ? error : new ProviderTrouble("no answer", { cause: error });
    });
    if (isLimit || status >= 500 || (status >= 300 && status < 400))
      throw new ProviderTrouble(`status ${status}`);
    const json = parseJson(text);
    if (!json) throw new ProviderTrouble(`status ${status}, and no JSON object or list`);
    return new Response(status, json);
  };
}

/** GitHub's limits are a 403, too. */
const isLimitOf = ({ statusCode, headers }: http.IncomingMessage): boolean =>
  statusCode === 429 ||
  (statusCode === 403 && (headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0"));

function send(
  url: URL,
  options: https.RequestOptions,
  body: string,
): Promise<{ status: number; isLimit: boolean; text: string }> {
  const { request } = url.protocol === "http:" ? http : https;
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on("error", reject);
      incoming.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) sent.destroy(new ProviderTrouble("the answer is too long"));
        else chunks.push(chunk);
      });
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          isLimit: isLimitOf(incoming),
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function parseJson(text: string): object | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
