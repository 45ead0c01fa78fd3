import { type AuthError, parseResponse } from "./auth-error.ts";
import type { Connection } from "./connection.ts";
import { maxWaitSeconds, sleep } from "./sleep.ts";

/** How a POST is sent. */
export interface PostOptions {
  /** Its Idempotency-Key. */
  key?: string | undefined;
  /** Send it again if the API is away or no response comes: that does no harm. */
  retry?: boolean;
}

/** How many times a request is sent, at most. */
const maxTries = 3;
/** As long as a refresh may be under way in the model of docs/rotation.md. */
const repeatAfterMs = 12_000;
/** The gateway gives up by then. */
const giveUpAfterMs = 30_000;

/** Sends a POST that needs no access token; resolves to the body of the response. Throws AuthError. */
export type Post = (path: string, body?: unknown, options?: PostOptions) => Promise<unknown>;

/** Makes what sends register, login, refresh and logout. */
export function createPost({ send, base, credentials, bearer, keys }: Connection): Post {
  return async function post(path, body, { key, retry } = {}) {
    const init = toJson("POST", body, {
      ...(keys && key && { "idempotency-key": key }),
      ...(bearer && { "auth-mode": "bearer" }),
    });
    for (let tried = 1; ; tried++) {
      try {
        const signal = AbortSignal.timeout(retry ? repeatAfterMs : giveUpAfterMs);
        return await parseResponse(send(new URL(path, base).href, { ...init, credentials, signal }));
      } catch (error) {
        const { status, retryAfterSeconds = tried } = error as AuthError;
        const isRefusal = status > 0 && status < 500;
        if (!retry || isRefusal || tried === maxTries || retryAfterSeconds > maxWaitSeconds) throw error;
        await sleep(retryAfterSeconds);
      }
    }
  };
}

/** A request with a JSON body, or with none. */
export function toJson(method: string, body: unknown, headers?: Record<string, string>): RequestInit {
  return {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body) as string,
  };
}
