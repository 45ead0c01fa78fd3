import { AuthError, type Problem } from "./auth-error.ts";
import type { PostOptions } from "./post.ts";
import type { Claims } from "./resources.ts";
import { ageOf, dueInMs, isDue, isKnown, isYoung, type SessionState, type Stamp, stampOf } from "./state.ts";

// What happens when, after the stored state was read; where another tab has ended the session `tell`, or has opened
// one `welcome`:
//
// event     if                                     state          effects
// -------   ------------------------------------   ------------   ---------------------------------------
// renew     it has been renewed, or is young
//           a bearer client has no token pair                     result: missing_credentials
//           otherwise                              its key        save, post -> opened, or else -> refused
// open      it goes out with the session           its keys       save, post -> opened, or else -> refused
//           otherwise                              its keys       save, post -> opened
// opened    it is stale, and the user has logged out              post (logout), result: the body
//           it is stale, and the user has logged in               me() -> doubted, result: the body
//           it is stale                                           result: the body
//           a bearer client keeps its token pair                  result: the body
//           a bearer client got no token pair                     reject: network_error
//           otherwise                              the new pair   save, with the key of the next refresh
// refused   it is stale                                           reject: the error, if it went out with the session
//           the error is trouble or a mistake                     reject: the error
//           it went out with the session           ended          save, tell, reject: the error
//           otherwise                              ended          save, tell, result: the error
// logout    it is for another session
//           a bearer client has no token pair      ended          save
//           a bearer client has one                ended          save, post
//           otherwise                                             post -> closed
// doubted   the cookie is that of the session
//           otherwise                                             as logout; tell
// closed    it is stale
//           otherwise                              ended          save
// learn     the response is to another session
//           otherwise                              the life       save
// nothing                                                         the timer after that time
//
// An answer is stale when the user has logged in or out since it was asked for; that of a refresh, when another tab has
// renewed, too. After every event the one timer is set anew.

/** Something that has happened: a row of the table, and its data. */
// biome-ignore lint/suspicious/noExplicitAny: each row has data of its own
export type SessionEvent = [row: Row<any[]>, ...data: unknown[]];

/** What a row may read besides the state and its data. */
export interface Context {
  /** What the page knew until it read the stored state, which may be cleared. */
  before: SessionState;
  /** The client keeps the token pair itself. */
  bearer: boolean;
  /** The local clock. */
  nowMs: number;
  /** Makes a random key. */
  createKey(): string;
  /** Saves the state, and answers whether it will be there after a reload; only of a browser. */
  save(state: SessionState): unknown;
}

/** What the runner does, in this order. */
export interface Effects {
  /** Store the state. */
  save?: SessionState;
  /** Call `onSessionEnd` with these arguments. */
  tell?: [error?: AuthError] | false | undefined;
  /** Reject the caller's promise with this; or with what the store could not forget, unless it is false. */
  reject?: unknown;
  /** Send this request. */
  post?: [path: string, body: unknown, options: PostOptions];
  /** Answers whether what the request was for is over: then it is not repeated, and its answer is not saved. */
  isStale?: IsStale;
  /** The event that its success is; `isStale` and the body of the response become the last of its data. */
  next?: SessionEvent;
  /** The event that its failure is; `isStale` and the error become the last of its data. By default the caller gets the error. */
  orElse?: SessionEvent | undefined;
  /** Ask whose session the cookie is, and let this event decide; the `sid` that was told becomes the last of its data. */
  doubt?: SessionEvent | false;
  /** Resolve the caller's promise to this: the body of the response, or the error that ended the session. */
  result?: unknown;
}

/** What a row decides: the effects, and when the timer goes off at the soonest; by default after a second. */
interface Decision extends Effects {
  minMs?: number | undefined;
}

/** Asks the state that is stored now. */
type IsStale = (now: SessionState) => boolean;

type Row<Data extends unknown[] = []> = (state: SessionState, context: Context, ...data: Data) => Decision;

/** The body of a response that opens or renews a session. The token pair comes to bearer clients only. */
interface PairBody {
  token: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
  /** What recognises a bearer client at its next login, which ends this session. */
  device?: string;
  /** The address that a mailed code was for. */
  email?: string;
}

/**
 * The error codes that end a session, session_key_required and device_proof_required among them; every other error is trouble or
 * a mistake, second_factor_required too.
 */
const endCode = /^(token_expired|invalid_(\w+_)?token|missing_credentials|\w+[yf]_required)$/;
/** When to ask how long a JWT lives, if the application has not. */
const learnAfterMs = 10_000;

/** The token pair with this stamp needs renewing; `isAsked`: the application says so. */
export const renew: Row<[seen: Stamp, isAsked?: boolean]> = (state, context, seen, isAsked) => {
  const { bearer, nowMs, createKey } = context;
  if (stampOf(state) !== seen || (isYoung(state, nowMs) && !(isAsked && state.endStatus))) return {};
  if (bearer && !state.token) return { result: new AuthError(401, { code: "missing_credentials" }) };
  const { key = createKey() } = state;
  // A JWT that is refused before its time lives shorter than we thought.
  const lifeMs = isDue(state, nowMs) ? state.lifeMs : undefined;
  const sent = { ...state, key };
  return {
    // Stored before it is sent: whatever happens to this tab, the next one can repeat the refresh.
    save: sent,
    post: ["auth/refresh", pairOf(state), { state: sent, retry: true }],
    isStale: (now) => stampOf(now) !== seen || isOther(state)(now),
    next: [opened, { ...sent, lifeMs, endStatus: undefined }],
    orElse: [refused, false],
  };
};

/**
 * The user does something that opens a session. What goes out with the session, and ends it, is repeated; `lost` is how it ends
 * if it was done, but never answered.
 */
export const open: Row<[path: string, body: unknown, lost?: Problem]> = (
  state,
  { bearer, nowMs, createKey, save },
  path,
  body,
  lost,
) => {
  const { key = createKey(), sessionKey = createKey(), token, device } = state;
  const both = { key, sessionKey };
  // A reload would lose keys that do not last; those of the session that there is are stored already.
  const keys: SessionState = bearer || state.sessionKey || save({ ...state, ...both }) ? both : {};
  return {
    // The key proves a repeat by the user, too. (A token store holds none without a pair.)
    ...(!bearer && { save: { ...state, ...keys } }),
    post: [
      path,
      device ? { ...(body as object), device } : body,
      { state: keys, token: lost && token, retry: !!lost },
    ],
    isStale: isOther(state),
    next: [opened, { ...keys, openedAtMs: nowMs }],
    orElse: lost && [refused, lost],
  };
};

/**
 * A session was opened, or renewed. `kept`: what stays of the state before. The key of the next refresh is stored
 * here, so that a browser that is killed before it has written the cookie still knows both.
 */
export const opened: Row<[kept: SessionState, isStale: IsStale, body: unknown]> = (
  state,
  context,
  kept,
  isStale,
  body,
) => {
  const { bearer, nowMs, createKey } = context;
  const { token, refreshToken, expiresIn, email, device } = body as PairBody;
  const pair = bearer && { token, refreshToken, lifeMs: expiresIn * 1000 };
  const save = { device, ...kept, previousKey: kept.key, key: createKey(), decidedAtMs: nowMs, ...pair };
  return {
    result: body,
    ...(isStale(state)
      ? // A tab was suspended before it read this. What was stored meanwhile holds. After a logout nothing stays open, and no
        // cookie stays back; that is tried once, lest it ends what is opened next.
        state.endStatus === 200
        ? { ...logoutOf(body as PairBody), isStale }
        : { doubt: !bearer && isOther(kept)(state) && [doubted, state, kept.sid] }
      : bearer && !refreshToken
        ? // The old token pair is not given up for none: whoever proves the address that the account has keeps it.
          { reject: !email && new AuthError(0, { code: "network_error" }) }
        : { save }),
  };
};

/** What went out with the session has failed, and the stored state was read after that. A refresh has no `lost`. */
export const refused: Row<[lost: Problem | false, isStale: IsStale, error: AuthError]> = (
  state,
  context,
  lost,
  isStale,
  error,
) => {
  // A tab that did not wait for the lock may have renewed or logged in meanwhile.
  if (isStale(state)) return { reject: lost && error };
  if (!endCode.test(error.code)) return { reject: error };
  // A cookie that this client knew nothing of was a session, too; and what is stored may be cleared.
  const isNews = isKnown(state) || isKnown(context.before) || (error.status !== 401 && !state.endStatus);
  // The repeat of what was done, but not answered, has no session any more.
  const end = lost && error.cause ? new AuthError(401, lost, undefined, error) : error;
  // The JWT of a session that was replaced lives on, as it does after a 400.
  const decided = closed(state, context, lost ? 400 : error.status);
  return { ...decided, tell: isNews && [end], reject: lost && end, result: end };
};

/**
 * The user logs out, or `seen` has ended at the API. `tell` is for other tabs. A bearer client is logged out here also if the API
 * cannot be told.
 */
export const logout: Row<[seen?: SessionState, tell?: []]> = (state, context, seen = state, tell) => {
  if (isOther(seen)(state)) return {};
  if (!context.bearer) return { ...logoutOf(state), isStale: isOther(state), next: [closed, 200, tell] };
  return { ...closed(state, context, 200), ...(state.token && logoutOf(state)) };
};

/**
 * The cookie is of the session `told`, after an answer to the session `late` has come late; for a login that is not known. If it is
 * not the one that was seen it is taken away, and every tab is told.
 */
export const doubted: Row<[seen: SessionState, late: string | undefined, told: string]> = (
  state,
  context,
  seen,
  late,
  told,
) => (told === late || told !== (seen.sid ?? (late && told)) ? logout(state, context, seen, []) : {});

/** The session is over, with this status. Its keys go on to the next one, unless the user has logged out. */
export const closed: Row<[endStatus: number, tell?: [], isStale?: IsStale]> = (
  state,
  { nowMs },
  endStatus,
  tell,
  isStale,
) => {
  const { token, refreshToken, lifeMs, ...others } = state;
  const kept = endStatus === 200 ? { openedAtMs: -nowMs } : others;
  return isStale?.(state)
    ? {}
    : { tell: isKnown(state) && tell, save: { ...kept, decidedAtMs: nowMs, endStatus } };
};

/** A response to the token pair with this stamp says whose session it is, and how long a JWT lives. */
export const learn: Row<[seen: Stamp, claims: Claims]> = (state, { nowMs }, seen, { sid, iat, exp }) => {
  const lifeMs = (exp - iat) * 1000;
  // Not a session that was ended while the response was under way, or one whose last JWT may still live.
  const isFound =
    !isKnown(state) && (![400, 403].includes(state.endStatus as number) || ageOf(state, nowMs) > lifeMs);
  // Another `sid` may be that of a cookie which came late: the one that was told first stays.
  return (isFound || (!state.endStatus && state.lifeMs !== lifeMs)) && stampOf(state) === seen
    ? { save: { sid, ...state, lifeMs, ...(isFound && { sid, decidedAtMs: nowMs, endStatus: undefined }) } }
    : {};
};

/**
 * Decides what becomes of a session, and what there is to do, when something happens. `waitMs` is when the timer goes off, NaN for
 * never; it renews the token pair, or where that is not known asks how long a JWT lives.
 */
export function reduceSession(stored: SessionState, [row, ...data]: SessionEvent, context: Context) {
  const effects = row(stored, context, ...data);
  const { save: state = stored, minMs = 1000, tell } = effects;
  const isLifeUnknown = isKnown(state) && !state.lifeMs;
  const waitMs = isLifeUnknown ? learnAfterMs - ageOf(state, context.nowMs) : dueInMs(state, context.nowMs);
  return {
    ...effects,
    state,
    waitMs: Math.max(waitMs, minMs),
    tell: tell || (isKnown(context.before) && stored.endStatus && ([] as [])),
    welcome: isKnown(stored) && isOther(context.before)(stored),
  };
}

/**
 * Makes what answers whether the user has logged in or out since that state. The end of a session by itself is none, nor is a
 * store that is cleared, or cannot be read.
 */
const isOther =
  ({ openedAtMs }: SessionState): IsStale =>
  (now) =>
    !!now.openedAtMs && now.openedAtMs !== openedAtMs;

/** Nothing has happened, or what the timer started has failed: then it goes off after `minMs` again. */
export const nothing: Row<[minMs?: number]> = (_state, _context, minMs) => ({ minMs });

const logoutOf = (state: SessionState): Pick<Effects, "post"> => ({
  post: ["auth/logout", pairOf(state), { retry: true }],
});

function pairOf({ token, refreshToken }: SessionState): unknown {
  return token && { token, refreshToken };
}
