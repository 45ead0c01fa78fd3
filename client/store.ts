import type { SessionState, StateStore } from "./state.ts";

/** A token pair, and what the client knows of it. Keep it whole, as JSON, where nobody else can read it. */
export interface Tokens extends SessionState {
  token: string;
  refreshToken: string;
}

/** Where a bearer client keeps its token pair. */
export interface TokenStore {
  load(): Promise<Tokens | null | undefined> | Tokens | null | undefined;
  /** Keeps the token pair; `undefined` forgets it. */
  save(tokens: Tokens | undefined): Promise<void> | void;
}

/** Keeps the state with the token pair, and none without one. */
export function createTokenState(tokens: TokenStore): StateStore {
  return {
    load: async () => (await tokens.load()) ?? {},
    save: (state) => tokens.save(state.token ? (state as Tokens) : undefined),
  };
}

/** Keeps the state where all tabs see it (localStorage); in memory where a browser forbids that. */
export function createBrowserState(name: string): StateStore {
  let memory: SessionState | undefined;
  return {
    load() {
      try {
        return memory ?? JSON.parse(localStorage.getItem(name) as string) ?? {};
      } catch {
        return {};
      }
    },
    save(state) {
      try {
        localStorage.setItem(name, JSON.stringify(state));
      } catch {
        memory = state;
      }
    },
  };
}
