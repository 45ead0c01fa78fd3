/** What the client remembers of a session. Times are milliseconds of the local clock, right or wrong. */
export interface SessionState {
  /** The Idempotency-Key. */
  key?: string | undefined;
  /** When the last refresh with this key was answered 200; undefined if it was not. */
  keyAnsweredAtMs?: number | undefined;
  /** When the pair came, or the refusal that ended the session. */
  decidedAtMs?: number | undefined;
  /** How long a JWT lives. */
  lifeMs?: number | undefined;
  /** The session is over: the status of the refusal, or 200 for a logout. */
  endStatus?: number | undefined;
  /** The pair; only in bearer mode. */
  token?: string | undefined;
  refreshToken?: string | undefined;
}

/** Where the state is kept. */
export interface StateStore {
  load(): Promise<SessionState> | SessionState;
  save(state: SessionState): Promise<void> | void;
}

/** A pair is left alone for so long, if its JWT lives twice as long (docs/rotation.md, what the model says). */
const youngMs = 60_000;

/** Answers whether there is a session, as far as is known here. */
export function isKnown(state: SessionState): boolean {
  return !state.endStatus && stampOf(state) !== undefined;
}

/** What tells one pair from the next. */
export type Stamp = string | number | undefined;

/** The stamp of the pair. */
export function stampOf({ token, decidedAtMs }: SessionState): Stamp {
  return token ?? decidedAtMs;
}

/** Milliseconds since the pair came, or the refusal; negative where the clock was set back. */
export function ageOf({ decidedAtMs = 0 }: SessionState): number {
  return Date.now() - decidedAtMs;
}

/** Answers whether the last decision is too new for another refresh. A clock that was set back makes it old. */
export function isYoung(state: SessionState): boolean {
  const { lifeMs = 2 * youngMs } = state;
  const ageMs = ageOf(state);
  return ageMs >= 0 && ageMs < Math.min(youngMs, lifeMs / 2);
}

/** Milliseconds until the pair should be renewed, shortly before its JWT expires; undefined if that is not known. */
export function dueInMs(state: SessionState): number | undefined {
  const { decidedAtMs, lifeMs } = state;
  if (!isKnown(state) || decidedAtMs === undefined || lifeMs === undefined) return undefined;
  const ageMs = ageOf(state);
  return ageMs < 0 ? 0 : lifeMs - Math.min(youngMs, lifeMs / 4) - ageMs;
}

/** Answers whether the pair should be renewed now. */
export function isDue(state: SessionState): boolean {
  return (dueInMs(state) ?? 1) <= 0;
}

/** The key of a refresh that starts now: a new one only if the last with this key was answered, a minute ago. */
export function nextKey({ key, keyAnsweredAtMs }: SessionState): string {
  const isDone = keyAnsweredAtMs !== undefined && Date.now() - keyAnsweredAtMs > youngMs;
  return key === undefined || isDone ? crypto.randomUUID() : key;
}
