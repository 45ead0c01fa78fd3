import type { Claims } from "../client/auth-client.ts";

const name = "ended-session";
let memory: string | null = null;

/** Remembers, for all tabs, that a session is over: its last access token opens things for a while yet. */
export function rememberEnd({ sid }: Claims): void {
  memory = sid;
  try {
    localStorage.setItem(name, sid);
  } catch {
    // A browser may forbid it; then each tab remembers for itself.
  }
}

/** Answers whether that is an access token of a session that is over. */
export function hasEnded({ sid }: Claims): boolean {
  try {
    return (localStorage.getItem(name) ?? memory) === sid;
  } catch {
    return memory === sid;
  }
}
