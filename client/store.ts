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

/** Keeps the state with the token pair; without one in memory. A store that is empty or broken holds none. */
export function createTokenState(tokens: TokenStore): StateStore {
  let memory: SessionState = {};
  return {
    async load() {
      try {
        // biome-ignore lint/complexity/useLiteralKeys: the build shortens the name of our own `load` (build/client.ts)
        const stored = parseState(JSON.stringify(await tokens["load"]()));
        if (stored.token && stored.refreshToken) return stored;
      } catch {}
      return memory;
    },
    save(state) {
      memory = state.token ? {} : state;
      // biome-ignore lint/complexity/useLiteralKeys: the build shortens the name of our own `save` (build/client.ts)
      return tokens["save"](memory === state ? undefined : (state as Tokens));
    },
    isLasting: () => true,
  };
}

/** Keeps the state where all tabs see it (localStorage); in memory where a browser forbids that. */
export function createBrowserState(name: string): StateStore {
  let memory: SessionState | undefined;
  function load(): SessionState {
    try {
      return memory ?? parseState(localStorage.getItem(name) as string) ?? {};
    } catch {
      return {};
    }
  }
  function save(state: SessionState): void {
    try {
      localStorage.setItem(name, JSON.stringify(state));
      memory = undefined;
    } catch {
      memory = state;
    }
  }
  return {
    load,
    save,
    isLasting: () => {
      save(load());
      return !memory;
    },
  };
}

/** What JSON of a state never has: a key that is none, a time that is no number. */
const isForeign = /"(key|previousKey|sessionKey)":(?!"[\w-]{42}[AEIMQUYcgkosw048]")|Ms":(?!-?\d)/;

/** Reads the JSON of a state; empty if something else has written there. Throws SyntaxError. */
function parseState(text: string): SessionState {
  return isForeign.test(text) ? {} : JSON.parse(text);
}
