import { hashToken } from "../../../../lib/tokens/refresh-token.ts";
import type { Item } from "../../../support/database.ts";
import { type PairName, type Refresh, refreshState, type SessionState } from "./session.ts";

/** What one of several simultaneous requests wants. */
export type Operation =
  | { is: "refresh"; refresh: Refresh }
  | { is: "logout" | "revoke" | "revoke all" | "look" };

/** How it was answered: with a pair, or with a status. */
export interface Outcome {
  status: number;
  pair?: { refreshToken: string; iat: number; cookie: string };
}

/** One request, and how many of its requests to the table were applied without an answer. */
export interface Act {
  operation: Operation;
  outcome: Outcome;
  /** Some attempt of the SDK was lost on its way there or back. */
  isRetried: boolean;
  unanswered: number;
}

/** What is known of the tokens: by generation. */
type Tokens = ReadonlyMap<number, string>;

/**
 * Answers whether there is an order in which the reference, one act at a time, gives these answers and leaves this
 * item. What was applied without an answer may take effect at any moment before its act ends, or never. A replay is seen
 * first and its session ended then, whatever came between: nobody talks a replay out of it by re-arming.
 */
export function isLinearisable(
  acts: Act[],
  start: { state: SessionState; tokens: Tokens },
  item: Item | undefined,
): boolean {
  const search = (
    left: { act: Act; phantoms: number; isConvicted: boolean; isDone: boolean }[],
    state: SessionState | undefined,
    tokens: Tokens,
    cookies: ReadonlyMap<string, string>,
  ): boolean => {
    if (left.every(({ isDone }) => isDone) && isSame(state, tokens, item)) return true;
    return left.some((entry) => {
      if (entry.isDone) return false;
      const { operation, outcome } = entry.act;
      const next = apply(operation, state);
      const isReplay = operation.is === "refresh" && outcome.status === 400 && state && !next.state;
      const others = (change: Partial<typeof entry>) =>
        left.map((other) => (other === entry ? { ...entry, ...change } : other));
      if (entry.phantoms > 0 && search(others({ phantoms: entry.phantoms - 1 }), next.state, tokens, cookies))
        return true;
      if (entry.isConvicted) return search(others({ isDone: true }), undefined, tokens, cookies);
      if (isReplay && search(others({ isConvicted: true }), state, tokens, cookies)) return true;
      // It gave up: nothing of it is left but what was applied without an answer.
      if (outcome.status === 503) return search(others({ isDone: true }), state, tokens, cookies);
      if (!("pair" in outcome) || !outcome.pair) {
        const isRight =
          next.status === outcome.status ||
          (operation.is === "revoke" && entry.act.isRetried && outcome.status === 204);
        return isRight && search(others({ isDone: true }), next.state, tokens, cookies);
      }
      if (!next.pair) return false;
      const { refreshToken, iat, cookie } = outcome.pair;
      const { generation } = next.pair;
      const name = `${generation}@${iat}`;
      const isRight =
        next.pair.iat === iat &&
        (tokens.get(generation) ?? refreshToken) === refreshToken &&
        (cookies.get(name) ?? cookie) === cookie;
      return (
        isRight &&
        search(
          others({ isDone: true }),
          next.state,
          new Map([...tokens, [generation, refreshToken]]),
          new Map([...cookies, [name, cookie]]),
        )
      );
    });
  };
  const left = acts.map((act) => ({ act, phantoms: act.unanswered, isConvicted: false, isDone: false }));
  return search(left, start.state, start.tokens, new Map());
}

function apply(
  operation: Operation,
  state: SessionState | undefined,
): { state: SessionState | undefined; status: number; pair?: PairName } {
  switch (operation.is) {
    case "refresh": {
      const { state: next, answer } = refreshState(state, operation.refresh);
      return answer === "expired" ? { state: next, status: 400 } : { state: next, status: 200, pair: answer };
    }
    case "logout":
      return { state: undefined, status: 200 };
    case "revoke":
      return { state: undefined, status: state ? 204 : 404 };
    case "revoke all":
      return { state: undefined, status: 204 };
    case "look":
      return { state, status: state ? 400 : 401 };
  }
}

function isSame(state: SessionState | undefined, tokens: Tokens, item: Item | undefined): boolean {
  if (!state || !item) return !state && !item;
  const token = tokens.get(state.generation);
  return (
    item.rotatedAt === state.rotatedAt &&
    item.expiresAt === state.expiresAt &&
    item.rotationKeyHash === (state.rotationKey === undefined ? undefined : hashToken(state.rotationKey)) &&
    // A rotation whose answer nobody got has made a token that nobody has seen.
    (token === undefined || item.tokenHash === hashToken(token))
  );
}
