import { type AuthError, parseResponse } from "./auth-error.ts";
import type { Connection } from "./connection.ts";
import { maxWaitSeconds, sleep } from "./sleep.ts";
import type { SessionState } from "./state.ts";
import { within } from "./within.ts";

/** How a POST is sent. */
export interface PostOptions {
  /** Its keys. */
  state?: SessionState;
  /** The access token; only of a bearer client. */
  token?: string | undefined;
  /** Send it again if the API is away or no response comes: that does no harm. The trouble is the `cause` of a later refusal. */
  retry?: boolean;
}

/** How many times a request is sent, at most. */
const maxTries = 3;
/** As long as a refresh may be under way in the model of docs/rotation.md. */
const repeatAfterMs = 12_000;
/** The gateway gives up by then. */
const giveUpAfterMs = 30_000;

/**
 * Sends a POST that is not repeated after a 401; resolves to the body of the response. `isStale` answers whether what it is for is
 * over: then it is not sent again, with keys that are old by now. Throws AuthError.
 */
export type Post = (
  path: string,
  body?: unknown,
  options?: PostOptions,
  isStale?: () => Promise<boolean>,
) => Promise<unknown>;

/** Makes what sends register, login, refresh, change of password, and logout. */
export function createPost({ send, base, credentials, bearer, keys }: Connection): Post {
  return async (path, body, { state: { key, previousKey, sessionKey } = {}, token, retry } = {}, isStale) => {
    const init = toJson("POST", body, {
      ...(keys && {
        "idempotency-key": key,
        "idempotency-key-previous": previousKey,
        "session-key": sessionKey,
      }),
      "auth-mode": bearer && "bearer",
      authorization: token && `Bearer ${token}`,
    });
    let trouble: unknown;
    for (let tried = 1; ; tried++) {
      try {
        return await within(retry ? repeatAfterMs : giveUpAfterMs, (signal) =>
          parseResponse(send(new URL(path, base), { ...init, credentials, signal })),
        );
      } catch (error) {
        const { status, retryAfterSeconds = tried } = error as AuthError;
        const isRefusal = status && status < 500;
        if (isRefusal && trouble) (error as AuthError).cause = trouble;
        trouble = error;
        if (!retry || isRefusal || tried === maxTries || retryAfterSeconds > maxWaitSeconds) throw error;
        await sleep(retryAfterSeconds);
        if (await isStale?.()) throw error;
      }
    }
  };
}

/** A request with a JSON body, or with none. No redirect takes what it holds elsewhere. */
export function toJson(
  method: string,
  body?: unknown,
  headers?: Record<string, string | false | undefined>,
): RequestInit {
  const sent = Object.entries({ "content-type": "application/json", ...headers }).filter(([, text]) => text);
  return {
    method,
    headers: sent as [string, string][],
    body: JSON.stringify(body) as string,
    redirect: "error",
  };
}
