import { type AuthError, readAnswer } from "./auth-error.ts";
import type { Connection } from "./connection.ts";
import { maxWaitSeconds, sleep } from "./sleep.ts";

/** How a POST is sent. */
export interface PostOptions {
  /** Its Idempotency-Key. */
  key?: string | undefined;
  /** Sending it twice does no harm: it is, when the API is away or no answer comes. */
  isRepeatable?: boolean;
}

/** How often a request is sent. */
const maxTries = 3;
/** As long as a refresh may be under way in the model of docs/rotation.md. */
const repeatAfterMs = 12_000;
/** The gateway gives up by then. */
const giveUpAfterMs = 30_000;

/** Sends a POST that needs no access token; resolves to the answer's body. Throws AuthError. */
export type Post = (path: string, body?: unknown, options?: PostOptions) => Promise<unknown>;

/** Makes what sends register, login, refresh and logout. */
export function createPost({ send, base, credentials, isBearer }: Connection): Post {
  return async function post(path, body, { key, isRepeatable } = {}) {
    const init = toJson("POST", body, {
      ...(key && { "idempotency-key": key }),
      ...(isBearer && { "auth-mode": "bearer" }),
    });
    for (let tried = 1; ; tried++) {
      try {
        const signal = AbortSignal.timeout(isRepeatable ? repeatAfterMs : giveUpAfterMs);
        return await readAnswer(send(new URL(path, base).href, { ...init, credentials, signal }));
      } catch (error) {
        const { status, retryAfterSeconds = tried } = error as AuthError;
        const isTransient = isRepeatable && (status === 0 || status > 499);
        if (!isTransient || tried === maxTries || retryAfterSeconds > maxWaitSeconds) throw error;
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
    body: JSON.stringify(body) ?? null,
  };
}
