/** What the client remembers of a session. Times are milliseconds of the local clock, right or wrong. */
export interface SessionState {
  /** The Idempotency-Key of the next refresh, and of its repeats. */
  key?: string | undefined;
  /** The one before: of the request that the token pair came with. */
  previousKey?: string | undefined;
  /** The Session-Key: without it nobody can renew the session. */
  sessionKey?: string | undefined;
  /** When the user logged in, or with a minus, out: what tells one session from the next. */
  openedAtMs?: number | undefined;
  /** The session's id, once a JWT has told it. */
  sid?: string | undefined;
  /** When the token pair came, or the error that ended the session. */
  decidedAtMs?: number | undefined;
  /** How long a JWT lives. */
  lifeMs?: number | undefined;
  /** The session is over: the status of the error, or 200 for a logout. */
  endStatus?: number | undefined;
  /** The token pair; only in a bearer client. */
  token?: string | undefined;
  refreshToken?: string | undefined;
  /** What recognises a bearer client at its next login. */
  device?: string | undefined;
}

/** Where the state is kept. */
export interface StateStore {
  load(): Promise<SessionState> | SessionState;
  /** Answers whether the state will be there after a reload. */
  save(state: SessionState): unknown;
}

/** A token pair is left alone for this time, if its JWT lives at least twice as long (docs/rotation.md, what the model says). */
const youngMs = 60_000;

/** Answers whether there is a session, as far as is known here. */
export function isKnown(state: SessionState): boolean {
  return !state.endStatus && !!stampOf(state);
}

/** What tells one token pair from the next. */
export type Stamp = string | number | undefined;

/** The stamp of the token pair. */
export function stampOf(state: SessionState): Stamp {
  return state.token ?? state.decidedAtMs;
}

/** Milliseconds since the token pair or the error came; negative if the clock was set back, NaN if neither came. */
export function ageOf(state: SessionState, nowMs: number): number {
  return nowMs - (state.decidedAtMs as number);
}

/** Answers whether the last decision is too new for another refresh. A clock that was set back makes it old. */
export function isYoung(state: SessionState, nowMs: number): boolean {
  const ageMs = ageOf(state, nowMs);
  return ageMs >= 0 && ageMs < Math.min(youngMs, (state.lifeMs ?? Infinity) / 2);
}

/** Milliseconds until the token pair should be renewed, shortly before its JWT expires; NaN if not known. */
export function dueInMs(state: SessionState, nowMs: number): number {
  const { lifeMs } = state;
  const ageMs = ageOf(state, nowMs);
  if (!isKnown(state) || !lifeMs) return NaN;
  return ageMs < 0 ? 0 : lifeMs - Math.min(youngMs, lifeMs / 4) - ageMs;
}

/** Answers whether the token pair should be renewed now. */
export function isDue(state: SessionState, nowMs: number): boolean {
  return dueInMs(state, nowMs) <= 0;
}
