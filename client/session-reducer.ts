import { AuthError, type Problem } from "./auth-error.ts";
import type { Post } from "./post.ts";
import { ageOf, dueInMs, isDue, isKnown, isYoung, type SessionState, type Stamp, stampOf } from "./state.ts";

// What happens when:
//
// event     if                                     state          effects
// -------   ------------------------------------   ------------   ---------------------------------------
// read      it has ended since                     what was read  tell
//           another has been opened since          what was read  welcome
//           otherwise                              what was read
// renew     it has been renewed, or is young
//           a bearer client has no token pair                     result: missing_credentials
//           otherwise                              its key        save, post -> opened, or else -> refused
// open      it goes out with the session           its keys       save, post -> opened, or else -> refused
//           otherwise                              its keys       save, post -> opened
// opened    a bearer client keeps its token pair                  result: the body
//           a bearer client got no token pair                     reject: network_error
//           otherwise                              the new pair   save, with the key of the next refresh
// refused   another tab has renewed, or logged in
//           the error is trouble or a mistake                     reject: the error
//           it went out with the session           ended          save, tell, reject: the error
//           otherwise                              ended          save, tell, result: the error
// logout    a bearer client has no token pair      ended          save
//           a bearer client has one                ended          save, post -> closed
//           otherwise                                             post -> closed
// closed                                           ended          save
// learn     the response is to another session
//           otherwise                              the life       save
// stuck                                                           the timer in 30 s
//
// After every event the one timer is set anew.

/** Something that has happened: a row of the table, and its data. */
// biome-ignore lint/suspicious/noExplicitAny: each row has data of its own
export type SessionEvent = [row: Row<any[]>, ...data: unknown[]];

/** What a row may read besides the state and its data. */
export interface Context {
  /** The client keeps the token pair itself. */
  bearer: boolean;
  /** The local clock. */
  nowMs: number;
  /** Makes a random key. */
  createKey(): string;
  /** Answers whether what is saved will be there after a reload. */
  isLasting(): boolean;
}

/** What the runner does, in this order. */
export interface Effects {
  /** Store the state. */
  save?: SessionState;
  /** Call `onSessionEnd` with these arguments. */
  tell?: [error?: AuthError] | false;
  /** Call `onSessionStart`. */
  welcome?: boolean;
  /** Reject the caller's promise with this. */
  reject?: unknown;
  /** Send this request. */
  post?: Parameters<Post>;
  /** The event that its success is; the body of the response becomes the last of its data. */
  next?: SessionEvent;
  /** The event that its failure is; the error becomes the last of its data. By default the caller gets the error. */
  orElse?: SessionEvent | undefined;
  /** Resolve the caller's promise to this: the body of the response, or the error that ended the session. */
  result?: unknown;
}

/** What a row decides: the effects, and what becomes of the state if it is not what is saved. */
interface Decision extends Effects {
  state?: SessionState;
  /** The timer goes off no sooner than this; by default than after a second. */
  minMs?: number;
}

type Row<Data extends unknown[] = []> = (state: SessionState, context: Context, ...data: Data) => Decision;

/** The body of a response that opens or renews a session. The token pair comes to bearer clients only. */
interface PairBody {
  token: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
  /** The address that a mailed code was for. */
  email?: string;
}

/** The error codes that end a session; every other error is trouble or a mistake. */
const endCode = /^(token_expired|invalid_((jwt|refresh)_)?token|missing_credentials|session_key_required)$/;
/** When to ask how long a JWT lives, if the application has not. */
const learnAfterMs = 10_000;
/** When to try again what the timer has failed to do. */
const retryAfterMs = 30_000;

/** The stored state was read; another tab may have changed it. */
export const read: Row<[stored: SessionState, isFirst?: boolean]> = (state, _context, stored, isFirst) => ({
  state: stored,
  tell: isKnown(state) && !!stored.endStatus && [],
  welcome: !isFirst && isKnown(stored) && stored.openedAtMs !== state.openedAtMs,
});

/** The token pair with this stamp needs renewing; `isAsked`: the application says so. */
export const renew: Row<[seen: Stamp, isAsked?: boolean]> = (state, context, seen, isAsked) => {
  const { bearer, nowMs, createKey } = context;
  if (stampOf(state) !== seen || (isYoung(state, nowMs) && !(isAsked && state.endStatus))) return {};
  if (bearer && !state.token) return { result: new AuthError(401, { code: "missing_credentials" }) };
  const { key = createKey(), sessionKey, openedAtMs } = state;
  // A JWT that is refused before its time lives shorter than we thought.
  const lifeMs = isDue(state, nowMs) ? state.lifeMs : undefined;
  const sent = { ...state, key };
  return {
    // Stored before it is sent: whatever happens to this tab, the next one can repeat the refresh.
    save: sent,
    post: ["auth/refresh", pairOf(state), { state: sent, retry: true }],
    next: [opened, { previousKey: key, sessionKey, openedAtMs, lifeMs }],
    orElse: [refused, seen, undefined],
  };
};

/**
 * The user does something that opens a session. What goes out with the session, and ends it, is repeated; `lost` is how it ends
 * if it was done, but never answered.
 */
export const open: Row<[path: string, body: unknown, lost?: Problem]> = (
  state,
  { bearer, nowMs, createKey, isLasting },
  path,
  body,
  lost,
) => {
  const { key = createKey(), sessionKey = isLasting() ? createKey() : undefined, token } = state;
  const keys = { key, sessionKey };
  return {
    // The key proves a repeat by the user, too. (A token store holds none without a pair.)
    ...(!bearer && { save: { ...state, ...keys } }),
    post: [path, body, { state: keys, token: lost && token, retry: !!lost }],
    next: [opened, { previousKey: key, sessionKey, openedAtMs: nowMs }],
    orElse: lost && [refused, stampOf(state), lost],
  };
};

/**
 * A session was opened, or renewed. `kept`: what stays of the state before. The key of the next refresh is stored
 * here, so that a browser that is killed before it has written the cookie still knows both.
 */
export const opened: Row<[kept: SessionState, body: unknown]> = (_state, context, kept, body) => {
  const { bearer, nowMs, createKey } = context;
  const { token, refreshToken, expiresIn, email } = body as PairBody;
  const pair = bearer && { token, refreshToken, lifeMs: expiresIn * 1000 };
  return {
    result: body,
    // The old token pair is not given up for none: whoever proves the address that the account has keeps it.
    ...(bearer && !refreshToken
      ? { reject: !email && new AuthError(0, { code: "network_error" }) }
      : { save: { ...kept, key: createKey(), decidedAtMs: nowMs, ...pair } }),
  };
};

/** What went out with the session has failed, and the stored state was read after that. A refresh has no `lost`. */
export const refused: Row<[seen: Stamp, lost: Problem | undefined, error: unknown]> = (
  state,
  context,
  seen,
  lost,
  error,
) => {
  // A tab that did not wait for the lock may have renewed or logged in meanwhile.
  if (stampOf(state) !== seen) return lost ? { reject: error } : {};
  if (!(error instanceof AuthError) || !endCode.test(error.code)) return { reject: error };
  // A cookie that this client knew nothing of was a session, too.
  const isNews = isKnown(state) || (error.status !== 401 && !state.endStatus);
  // The repeat of what was done, but not answered, has no session any more.
  const end = lost && error.cause ? new AuthError(401, lost, undefined, error) : error;
  // The JWT of a session that was replaced lives on, as it does after a 400.
  const decided = closed(state, context, lost ? 400 : error.status);
  return { ...decided, tell: isNews && [end], reject: lost && end, result: end };
};

/** The user logs out. `tell` is for other tabs. A bearer client is logged out here also if the API cannot be told. */
export const logout: Row = (state, context) => {
  const { bearer } = context;
  const end = bearer ? closed(state, context, 200) : {};
  return bearer && !state.token
    ? end
    : { ...end, post: ["auth/logout", pairOf(state), { retry: true }], next: [closed, 200] };
};

/** The session is over, with this status. Its Session-Key goes on to the next one, unless the user has logged out. */
export const closed: Row<[endStatus: number]> = ({ key, sessionKey }, { nowMs }, endStatus) => ({
  save: { key, sessionKey: endStatus === 200 ? undefined : sessionKey, decidedAtMs: nowMs, endStatus },
});

/** A response to the token pair with this stamp says how long a JWT lives. */
export const learn: Row<[seen: Stamp, lifeMs: number]> = (state, { nowMs }, seen, lifeMs) => {
  // Not a session that was ended while the response was under way, or one whose last JWT may still live.
  const isFound =
    !isKnown(state) &&
    stampOf(state) === seen &&
    (!/400|403/.test(`${state.endStatus}`) || ageOf(state, nowMs) > lifeMs);
  return isFound || (!state.endStatus && state.lifeMs !== lifeMs)
    ? { save: { ...state, lifeMs, endStatus: undefined, decidedAtMs: isFound ? nowMs : state.decidedAtMs } }
    : {};
};

/** What the timer started has failed. */
export const stuck: Row = () => ({ minMs: retryAfterMs });

/**
 * Decides what becomes of a session, and what there is to do, when something happens. `waitMs` is when the timer goes
 * off, Infinity for never; it renews the token pair, or with `learn` asks how long a JWT lives.
 */
export function reduceSession(before: SessionState, [row, ...data]: SessionEvent, context: Context) {
  const effects = row(before, context, ...data);
  const { save, state = save ?? before, minMs = 1000 } = effects;
  const learn = isKnown(state) && !state.lifeMs && !context.bearer;
  const waitMs = learn ? learnAfterMs - ageOf(state, context.nowMs) : dueInMs(state, context.nowMs);
  return { state, effects: { ...effects, learn, waitMs: Math.max(waitMs, minMs) } };
}

function pairOf({ token, refreshToken }: SessionState): unknown {
  return token && { token, refreshToken };
}
