/** How the API is reached. */
export interface Connection {
  send: typeof fetch;
  base: URL;
  /** Where credentials may go. */
  origins: string[];
  /** The client keeps the token pair itself, and uses no cookies. */
  bearer: boolean;
  /** Send an Idempotency-Key with login and refresh. */
  keys: boolean;
  credentials: "omit" | "include";
}
