/** How the API is reached. */
export interface Connection {
  send: typeof fetch;
  base: URL;
  /** Where credentials may go. */
  origins: string[];
  /** Bearer mode: the pair is ours to keep, and cookies are not. */
  isBearer: boolean;
  credentials: "omit" | "include";
}
