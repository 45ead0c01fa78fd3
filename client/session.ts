import { AuthError } from "./auth-error.ts";
import type { Lock } from "./lock.ts";
import type { Post } from "./post.ts";
import {
  ageOf,
  dueInMs,
  isDue,
  isKnown,
  isYoung,
  nextKey,
  type SessionState,
  type Stamp,
  type StateStore,
  stampOf,
} from "./state.ts";

/** A pair as the API answers it to a bearer client; a browser gets none of it. */
interface PairAnswer {
  token: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
}

interface SessionOptions {
  store: StateStore;
  lock: Lock;
  keys: boolean;
  /** Bearer mode: the pair is ours to keep. */
  isBearer: boolean;
  onSessionEnd: ((error?: AuthError) => void) | undefined;
  post: Post;
  /** Asks how long a JWT lives. */
  learnLife: () => Promise<unknown>;
}

/** The session is over: what a refresh may be refused with, apart from trouble and mistakes. */
const endCode = /^(token_expired|invalid_(jwt|refresh)_token|missing_credentials)$/;
const maxPauseSeconds = 60;
/** When to ask for the life of a JWT if the application has not, and when to try again what failed. */
const learnAfterMs = 10_000;
const retryAfterMs = 30_000;

/** What opens, renews and ends a session. */
export type SessionKeeper = ReturnType<typeof createSession>;

/** Makes what opens, renews and ends a session, one at a time across all tabs. */
export function createSession(options: SessionOptions) {
  const { store, lock, keys, isBearer, onSessionEnd, post, learnLife } = options;
  let wasKnown = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewing: Promise<AuthError | undefined> | undefined;

  /** Reads the state; other tabs may have changed it. */
  async function load(): Promise<SessionState> {
    const state = await store.load();
    observe(state);
    return state;
  }

  async function save(state: SessionState, error?: AuthError): Promise<void> {
    await store.save(state);
    observe(state, error);
  }

  function observe(state: SessionState, error?: AuthError): void {
    const hasEnded = wasKnown && state.endStatus;
    wasKnown = isKnown(state);
    schedule(state);
    if (hasEnded) queueMicrotask(() => onSessionEnd?.(error));
  }

  /** A timer does not run while the device sleeps; what it missed is made up for when the session is used. */
  function schedule(state: SessionState, leastMs = 1000): void {
    clearTimeout(timer);
    const mustLearn = wasKnown && state.lifeMs === undefined && !isBearer;
    const waitMs = mustLearn ? learnAfterMs - ageOf(state) : dueInMs(state);
    if (waitMs === undefined) return;
    const act = () => (mustLearn ? learnLife() : renew(stampOf(state)));
    const retry = () => schedule(state, retryAfterMs);
    timer = setTimeout(() => act().then(load).catch(retry), Math.max(waitMs, leastMs));
    // Node need not stay for it.
    (timer as { unref?: () => void }).unref?.();
  }

  /**
   * Renews the pair that was seen, unless it has been renewed, or is young. Resolves to the refusal if the session is
   * over. Throws AuthError in case of trouble; then the old pair is still there, and the same key with it.
   */
  function renew(seen: Stamp, isAsked = false): Promise<AuthError | undefined> {
    if (renewing) return renewing;
    const attempt = lock(async () => {
      const state = await load();
      const isLeftAlone = isYoung(state) && !(isAsked && state.endStatus);
      return stampOf(state) !== seen || isLeftAlone ? undefined : rotate(state);
    });
    renewing = attempt;
    const end = () => {
      renewing = undefined;
    };
    attempt.then(end, ({ retryAfterSeconds = 0 }: AuthError) => {
      // Until then nobody asks again.
      if (retryAfterSeconds > 0) setTimeout(end, Math.min(retryAfterSeconds, maxPauseSeconds) * 1000);
      else end();
    });
    return attempt;
  }

  async function rotate(before: SessionState): Promise<AuthError | undefined> {
    if (isBearer && !before.token) return new AuthError(401, { code: "missing_credentials" });
    // A JWT that is refused before its time lives not as long as we thought.
    const lifeMs = isDue(before) ? before.lifeMs : undefined;
    const key = keys ? nextKey(before) : undefined;
    const state = { ...before, key, keyAnsweredAtMs: undefined };
    // Kept before it is sent: whatever happens to this tab, the next one can repeat it.
    await save(state);
    try {
      const answer = await post("auth/refresh", pairOf(state), { key, isRepeatable: true });
      await keep({ key, keyAnsweredAtMs: Date.now(), lifeMs }, answer);
      return undefined;
    } catch (error) {
      if (!(error instanceof AuthError) || !endCode.test(error.code)) throw error;
      // Without Web Locks another tab may have logged in meanwhile.
      if (stampOf(await load()) !== stampOf(state)) return undefined;
      // A cookie that nobody told us of was a session, too.
      wasKnown ||= error.status === 400 && !state.endStatus;
      await end(state, error);
      return error;
    }
  }

  async function keep(state: SessionState, answer: unknown): Promise<void> {
    const { token, refreshToken, expiresIn } = answer as PairAnswer;
    // Never an old pair for none.
    if (isBearer && !refreshToken) throw new AuthError(0, { code: "network_error" });
    const pair = isBearer && { token, refreshToken, lifeMs: expiresIn * 1000 };
    await save({ ...state, decidedAtMs: Date.now(), ...pair });
  }

  function end({ key, keyAnsweredAtMs }: SessionState, error?: AuthError): Promise<void> {
    return save({ key, keyAnsweredAtMs, decidedAtMs: Date.now(), endStatus: error?.status ?? 200 }, error);
  }

  function pairOf({ token, refreshToken }: SessionState): unknown {
    return isBearer ? { token, refreshToken } : undefined;
  }

  return {
    load,
    renew,

    /** Opens a session. */
    login: (credentials: unknown) =>
      lock(async () => {
        const { key = crypto.randomUUID(), keyAnsweredAtMs } = await load();
        const answer = await post("auth/login", credentials, keys ? { key } : {});
        await keep({ key, keyAnsweredAtMs }, answer);
        renewing = undefined;
      }),

    /** Ends the session; `onSessionEnd` is for other tabs. */
    logout: () =>
      lock(async () => {
        const state = await load();
        if (!isBearer || state.token) await post("auth/logout", pairOf(state), { isRepeatable: true });
        wasKnown = false;
        await end(state);
      }),

    /** Takes over how long a JWT lives, from an answer that came to the pair that was seen. */
    learn: (lifeMs: number, seen: Stamp) =>
      lock(async () => {
        const state = await load();
        // Not a session that was ended while the answer was under way, or one whose last JWT may still live.
        const isFound =
          !isKnown(state) && stampOf(state) === seen && (state.endStatus !== 400 || ageOf(state) > lifeMs);
        const found = isFound && { endStatus: undefined, decidedAtMs: Date.now() };
        if (found || (!state.endStatus && state.lifeMs !== lifeMs))
          await save({ ...state, lifeMs, ...found });
      }),
  };
}
