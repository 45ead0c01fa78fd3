/** The settings of the service under the models. Seconds. */
export const lifetimes = {
  access: 900,
  window: 10,
  minInterval: 30,
  sliding: 7_200,
  absolute: 20_000,
};

/** What the models know of a session. Its pairs are numbered: generation 0 came with the login. Epoch seconds. */
export interface SessionState {
  keyed: boolean;
  createdAt: number;
  expiresAt: number;
  generation: number;
  rotatedAt: number | undefined;
  rotationKey: string | undefined;
  /** The request that rotated it last. */
  rotatedBy: string | undefined;
}

/** A pair as the model names it. */
export interface PairName {
  generation: number;
  iat: number;
}

/** A refresh as it reaches the table. */
export interface Refresh {
  id: string;
  generation: number;
  key: string | undefined;
  now: number;
}

/** The reference for `POST /auth/refresh`: the whole of spec and docs/rotation.md, in one atomic step. */
export function refreshState(
  state: SessionState | undefined,
  { id, generation, key, now }: Refresh,
): { state: SessionState | undefined; answer: PairName | "expired" } {
  if (!state || state.expiresAt <= now) return { state, answer: "expired" };
  const { minInterval, window, sliding, absolute } = lifetimes;
  const age = state.rotatedAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - state.rotatedAt);
  const times = { rotatedAt: now, expiresAt: Math.min(now + sliding, state.createdAt + absolute) };
  const answerOf = (state: SessionState) => ({
    state,
    answer: { generation: state.generation, iat: state.rotatedAt ?? state.createdAt },
  });

  if (state.rotatedBy === id) return answerOf(state);
  if (generation === state.generation) {
    if (age < minInterval) return answerOf(state);
    return answerOf({ ...state, ...times, generation: generation + 1, rotationKey: key, rotatedBy: id });
  }
  if (generation === state.generation - 1) {
    const isProven = key !== undefined && key === state.rotationKey;
    if (isProven) return answerOf(age > minInterval / 2 ? { ...state, ...times } : state);
    if (!state.keyed && age < window) return answerOf(state);
  }
  return { state: undefined, answer: "expired" };
}
