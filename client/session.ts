import type { AuthError, Problem } from "./auth-error.ts";
import { createKey } from "./key.ts";
import type { Lock } from "./lock.ts";
import type { Post } from "./post.ts";
import * as on from "./session-reducer.ts";
import { type SessionState, type Stamp, type StateStore, stampOf } from "./state.ts";

interface SessionOptions {
  store: StateStore;
  lock: Lock;
  /** The client keeps the token pair itself. */
  bearer: boolean;
  onSessionEnd: ((error?: AuthError) => void) | undefined;
  onSessionStart: (() => void) | undefined;
  post: Post;
  /** Asks how long a JWT lives. */
  me: () => Promise<unknown>;
}

/** What a renewal resolves to: the body of the response, or the error that ended the session. */
type Outcome = Promise<unknown>;

const maxPauseSeconds = 60;

/** What opens, renews and ends a session. */
export type SessionKeeper = ReturnType<typeof createSession>;

/** Makes what opens, renews and ends a session, one at a time across all tabs: it does what the reducer decides. */
export function createSession(options: SessionOptions) {
  const { store, lock, bearer, onSessionEnd, onSessionStart, post, me } = options;
  const { isLasting } = store;
  let current: SessionState = {};
  let isFirst = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewing: Outcome | undefined;

  /** Lets the reducer decide what follows from an event, and does that. */
  async function dispatch(...event: on.SessionEvent): Outcome {
    const context = { bearer, nowMs: Date.now(), createKey, isLasting };
    const { state, effects } = on.reduceSession(current, event, context);
    const { save, waitMs, learn, tell, welcome, post: request, next, orElse, reject, result } = effects;
    current = state;
    if (save) await store.save(save);
    clearTimeout(timer);
    if (waitMs < Infinity) {
      const act = () => (learn ? me() : renew(stampOf(state)));
      // A timer does not run while the device sleeps; what it missed is made up for when the session is used.
      timer = setTimeout(() => act().catch(() => dispatch(on.stuck)), waitMs);
      // Node need not stay for it.
      (timer as { unref?: () => void }).unref?.();
    }
    if (tell) queueMicrotask(() => onSessionEnd?.(...tell));
    if (welcome) queueMicrotask(() => onSessionStart?.());
    if (reject) throw reject;
    if (!request) return result;
    const [path, body, options] = request;
    const isStale = orElse && (async () => stampOf(await load()) !== stampOf(state));
    return post(path, body, { ...options, isStale }).then(
      (body) => dispatch(...(next as on.SessionEvent), body),
      async (error) => {
        if (!orElse) throw error;
        await load();
        return dispatch(...orElse, error);
      },
    );
  }

  /** Reads the stored state; other tabs may have changed it. */
  async function load(): Promise<SessionState> {
    const stored = await store.load();
    const reading = dispatch(on.read, stored, isFirst);
    isFirst = false;
    await reading;
    return stored;
  }

  /** Reads the stored state and dispatches the event, while nobody else does. */
  const run = (...event: on.SessionEvent) =>
    lock(async () => {
      await load();
      return dispatch(...event);
    });

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
    async open(...request: [path: string, body: unknown, lost?: Problem]): Promise<unknown> {
      const body = await run(on.open, ...request);
      release();
      return body;
    },

    /** Ends the session; `onSessionEnd` is for other tabs. */
    logout: () => run(on.logout) as Promise<undefined>,

    /** Takes it that there is no session. */
    forget: () => run(on.closed, 401),

    /** Takes over how long a JWT lives, from a response to the token pair that was seen. */
    learn: (seen: Stamp, lifeMs: number) => run(on.learn, seen, lifeMs),
  };
}
