import type { Claims } from "../client/auth-client.ts";

const name = "ended-session";
const signedIn = "signed-in";
let memory: string | null = null;

/** Remembers, for all tabs, whether somebody is logged in in this browser, as far as the page knows. */
export function rememberSignedIn(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(signedIn, "yes");
    else localStorage.removeItem(signedIn);
  } catch {
    // Then the API is asked each time.
  }
}

/** Answers whether it is worth asking: a script cannot see the cookie, and the API refuses a visitor who has none. */
export function maybeSignedIn(): boolean {
  try {
    return localStorage.getItem(signedIn) !== null;
  } catch {
    return true;
  }
}

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
