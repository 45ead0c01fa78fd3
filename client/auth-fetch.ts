import { retryAfterOf } from "./auth-error.ts";
import type { Connection } from "./connection.ts";
import type { SessionKeeper } from "./session.ts";
import { maxWaitSeconds, sleep } from "./sleep.ts";
import { ageOf, isDue, isKnown, type SessionState, stampOf } from "./state.ts";

/** What `fetch` takes first. */
export type FetchInput = Parameters<typeof fetch>[0];

/** Makes the `fetch` that renews the session by itself. `isKeyed`: it carries the Session-Key, where credentials may go. */
export function createAuthFetch({ send, base, origins, credentials }: Connection, session: SessionKeeper) {
  return async function authFetch(
    input: FetchInput,
    init: RequestInit = {},
    isKeyed?: boolean,
  ): Promise<Response> {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? (input as string), base);
    if (!origins.includes(url.origin)) return send(request ?? url, init);

    function attempt({ token, sessionKey }: SessionState): Promise<Response> {
      const headers = new Headers(init.headers ?? request?.headers);
      if (isKeyed && sessionKey) headers.set("session-key", sessionKey);
      if (token) headers.set("authorization", `Bearer ${token}`);
      return send(request?.clone() ?? url, { ...init, headers, credentials });
    }

    let trouble: unknown;
    let state = await session.load();
    if (isDue(state, Date.now())) {
      const renewal = session.renew(stampOf(state)).catch((error) => {
        trouble = error;
      });
      // While the JWT lives nobody has to wait.
      if (ageOf(state, Date.now()) >= (state.lifeMs as number)) await renewal;
      state = await session.load();
    }
    let response = await attempt(state);
    const waitSeconds = retryAfterOf(response) as number;
    const isGet = /^get$/i.test(init.method ?? request?.method ?? "get");
    if (response.status === 503 && isGet && waitSeconds <= maxWaitSeconds) {
      await sleep(waitSeconds);
      response = await attempt(state);
    }
    if (!(await isTokenRefused(response, state))) return response;
    if (trouble) throw trouble;
    const seen = stampOf(state);
    await session.renew(seen);
    state = await session.load();
    const isRenewed = isKnown(state) && stampOf(state) !== seen;
    // A stream has been read: its sender must send another one, with the session renewed.
    return isRenewed && !("duplex" in init) ? attempt(state) : response;
  };
}

/**
 * Answers whether a response means that the access token has expired. A Lambda authorizer says so by the gateway's 403,
 * which has no problem document; where the JWT is known to live, a 403 is what it says.
 */
async function isTokenRefused(response: Response, state: SessionState): Promise<boolean> {
  const { status } = response;
  if (status !== 401 && (status !== 403 || ageOf(state, Date.now()) < (state.lifeMs as number))) return false;
  const problem = await response
    .clone()
    .json()
    .catch(() => undefined);
  const code = problem?.code;
  return status === 403 ? !code : !/^(invalid_[cop]|insuf|second)/.test(code);
}
