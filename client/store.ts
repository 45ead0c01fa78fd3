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

/** Keeps the state with the token pair, and none without one. A store that is empty or broken holds none. */
export function createTokenState(tokens: TokenStore): StateStore {
  return {
    async load() {
      try {
        const stored = await tokens.load();
        return stored?.token && stored.refreshToken ? stored : {};
      } catch {
        return {};
      }
    },
    save: (state) => tokens.save(state.token ? (state as Tokens) : undefined),
    isLasting: () => true,
  };
}

/** Keeps the state where all tabs see it (localStorage); in memory where a browser forbids that. */
export function createBrowserState(name: string): StateStore {
  let memory: SessionState | undefined;
  const read = () => localStorage.getItem(name) ?? "{}";
  return {
    load() {
      try {
        return memory ?? JSON.parse(read()) ?? {};
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
    isLasting() {
      try {
        localStorage.setItem(name, read());
      } catch {
        return false;
      }
      return !memory;
    },
  };
}
