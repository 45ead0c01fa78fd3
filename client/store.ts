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

/**
 * Keeps the state with the token pair; without one in memory. A store that is empty or broken holds none. A pair that was to be
 * forgotten is none, though the store may hold it still.
 */
export function createTokenState(tokens: TokenStore): StateStore {
  let memory: SessionState = {};
  let held: string | undefined;
  let forgotten: string | undefined;
  return {
    async load() {
      try {
        // biome-ignore lint/complexity/useLiteralKeys: the build shortens the name of our own `load` (build/client.ts)
        const stored = parseState(JSON.stringify(await tokens["load"]()));
        held = stored.token;
        if (held !== forgotten && stored.refreshToken) return stored;
      } catch {}
      return memory;
    },
    save(state) {
      memory = state.token ? {} : state;
      if (!state.token) forgotten = held;
      // biome-ignore lint/complexity/useLiteralKeys: the build shortens the name of our own `save` (build/client.ts)
      return tokens["save"](memory === state ? undefined : (state as Tokens));
    },
  };
}

/**
 * Keeps the state where all tabs see it (localStorage). In memory, where a browser forbids that or has no room, until another tab
 * has stored something.
 */
export function createBrowserState(name: string): StateStore {
  let memory = "{}";
  /** What was stored after the last save. */
  let seen: string | null | undefined;
  function read(): string | null | undefined {
    try {
      return localStorage.getItem(name);
    } catch {
      return undefined;
    }
  }
  return {
    load() {
      const stored = read();
      try {
        return { ...parseState(stored === seen ? memory : (stored as string)), token: undefined };
      } catch {
        return {};
      }
    },
    save(state) {
      memory = JSON.stringify(state);
      try {
        localStorage.setItem(name, memory);
      } catch {}
      seen = read();
      return seen === memory;
    },
  };
}

/** What JSON of a state never has: a key that is none, a time that is no number. */
const isForeign = /"(k|previousK|sessionK)ey":(?!"[\w-]{42}[AEIMQUYcgkosw048]")|Ms":(?!-?\d{4})/;

/** Reads the JSON of a state; empty if something else has written there. Throws SyntaxError. */
function parseState(text: string): SessionState {
  return isForeign.test(text) ? {} : JSON.parse(text);
}
