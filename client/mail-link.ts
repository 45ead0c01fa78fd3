/** What the link in a mail brings. Anybody can make one: it is half of a proof, at most. */
export interface MailLink {
  /** `register`, `reset`, `email` or `login` with a code; `undo`, `invitation` or `recovery` with a token. */
  kind: string;
  code?: string;
  token?: string;
}

/**
 * Takes what a mail's link has brought off the address bar and the history; undefined if there was none. Call it before anything
 * else runs on the page.
 */
export function takeMailLink(): MailLink | undefined {
  const { kind, code, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!kind) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return { kind, ...(code && { code }), ...(token && { token }) };
}
