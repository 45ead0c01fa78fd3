import type { AuthError, Problem } from "./auth-error.ts";
import { createKey } from "./key.ts";
import { createLock } from "./lock.ts";
import type { Post } from "./post.ts";
import type { Claims } from "./resources.ts";
import * as on from "./session-reducer.ts";
import { type SessionState, type Stamp, stampOf } from "./state.ts";
import { createBrowserState, createTokenState, type TokenStore } from "./store.ts";

/** What a session is told of its client. */
export interface SessionOptions {
  /** Given, the client keeps the token pair itself. */
  tokens?: TokenStore | undefined;
  onSessionEnd?: ((error?: AuthError) => void) | undefined;
  onSessionStart?: (() => void) | undefined;
}

/** What a renewal resolves to: the body of the response, or the error that ended the session. */
type Outcome = Promise<unknown>;

const maxPauseSeconds = 60;
/** A longer time overflows, and the timer runs at once. */
const maxTimerMs = 0x7fffffff;
/** When to try again what the timer has failed to do. */
const retryAfterMs = 30_000;

/** What opens, renews and ends a session. */
export type SessionKeeper = ReturnType<typeof createSession>;

/**
 * Makes what opens, renews and ends a session, one at a time across all tabs: it does what the reducer decides. `name` is where tabs
 * meet; `me` asks how long a JWT lives.
 */
export function createSession(
  { tokens, onSessionEnd, onSessionStart }: SessionOptions,
  name: string,
  post: Post,
  me: () => Promise<Claims>,
) {
  const bearer = !!tokens;
  const store = tokens ? createTokenState(tokens) : createBrowserState(name);
  const lock = createLock(!bearer && name);
  const inTurn = createLock();
  /** What this page knew last; also when it has been cleared since. */
  let current: SessionState | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewing: Outcome | undefined;

  /**
   * Reads the stored state, which other tabs may have changed, lets the reducer decide what follows from an event, and does that.
   * The request is left to `dispatch`. Nothing else of this tab comes between.
   */
  const apply = (...event: on.SessionEvent) =>
    inTurn(async () => {
      const stored = await store.load();
      const context = { ...store, before: current ?? stored, bearer, nowMs: Date.now(), createKey };
      const decided = on.reduceSession(stored, event, context);
      const { save, state, waitMs, tell, welcome } = decided;
      if (!current || stampOf(state)) current = state;
      try {
        if (save) await store.save(save);
      } catch (error) {
        // What cannot be forgotten is not used again, and the API is told.
        if (state.token) throw error;
        decided.reject ??= error;
      }
      clearTimeout(timer);
      if (waitMs) {
        const act = () => (state.lifeMs ? renew(stampOf(state)) : me());
        // A timer does not run while the device sleeps; what it missed is made up for when the session is used.
        timer = setTimeout(
          () => act().catch(() => dispatch(on.nothing, retryAfterMs)),
          Math.min(waitMs, maxTimerMs),
        );
        // Node need not stay for it.
        (timer as { unref?: () => void }).unref?.();
      }
      queueMicrotask(() => {
        if (tell) onSessionEnd?.(...tell);
        if (welcome) onSessionStart?.();
      });
      return decided;
    });

  /** Applies an event, sends the request that follows, and applies what comes of that. */
  async function dispatch(...event: on.SessionEvent): Outcome {
    const { post: request, isStale, next, orElse, result, reject, doubt } = await apply(...event);
    // Not waited for: the look may need the lock for itself.
    if (doubt)
      me()
        .then(({ sid }) => run(...doubt, sid))
        .catch(() => {});
    let body: unknown;
    try {
      if (request) body = await post(...request, isStale && (async () => isStale(await load())));
    } catch (error) {
      if (!orElse) throw reject ?? error;
      return dispatch(...orElse, isStale, error);
    }
    if (next) return dispatch(...next, isStale, body);
    if (reject) throw reject;
    return result;
  }

  /** Reads the stored state. */
  const load = async () => (await apply(on.nothing)).state;

  /** Dispatches an event while nobody else does. */
  const run = (...event: on.SessionEvent) => lock(() => dispatch(...event));

  /**
   * Renews the token pair that was seen, unless it has been renewed, or is young. Resolves to the error if the session
   * is over. Rejects with AuthError in case of trouble; then the old token pair is still there, and the same key.
   */
  function renew(seen: Stamp, isAsked?: boolean): Outcome {
    if (!renewing) {
      renewing = run(on.renew, seen, isAsked);
      renewing.then(release, ({ retryAfterSeconds }: AuthError) => {
        // Until then nobody asks again.
        if (retryAfterSeconds) setTimeout(release, Math.min(retryAfterSeconds, maxPauseSeconds) * 1000);
        else release();
      });
    }
    return renewing;
  }

  function release(): void {
    renewing = undefined;
  }

  return {
    load,
    renew,

    /** Sends a POST that opens a session; resolves to the body of the response. */
    open: (...request: [path: string, body: unknown, lost?: Problem]) =>
      run(on.open, ...request).finally(release),

    /**
     * Ends the session, or only the one that was seen; `onSessionEnd` is for other tabs. A bearer client waits for nothing that is
     * under way.
     */
    logout: (seen?: SessionState) => (bearer ? dispatch : run)(on.logout, seen) as Promise<undefined>,

    /** Takes over what a JWT says of the session, from a response to the token pair that was seen. */
    learn: (seen: Stamp, claims: Claims) => dispatch(on.learn, seen, claims),
  };
}
