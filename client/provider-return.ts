/** What a page was opened with when a provider had returned to it. */
export interface Returned {
  state: string;
  /** Undefined where the provider has refused. */
  code: string | undefined;
  /** The provider's own name (RFC 9207). */
  iss: string | undefined;
  /** The whole address: the redirect URI may have members of the same names as what providers add. */
  page: URL;
}

/** What providers add to the address of the page that they return to. */
const added = /^(code|state|iss|error|error_description|error_uri|session_state|scope|authuser|hd|prompt)$/;

/** Takes what a provider has added off an address; off the bar and the history, if it is that of the page. */
export function takeReturn(url = globalThis.location?.href): Returned | undefined {
  if (!url) return undefined;
  const page = new URL(url);
  const { state, code, iss, error } = Object.fromEntries(page.searchParams);
  if (!state || (!code && !error)) return undefined;
  const bare = new URL(url);
  for (const each of page.searchParams.keys()) if (added.test(each)) bare.searchParams.delete(each);
  if (url === globalThis.location?.href)
    history.replaceState(history.state, "", bare.pathname + bare.search + bare.hash);
  return { state, code: error ? undefined : code, iss, page };
}

/**
 * Answers whether a page is the one that was named, where one is known. Each provider has a page of its own: another one has sent what
 * came elsewhere (RFC 9700, 4.4).
 */
export function isPageOf(redirectUri: string | undefined, page: URL): boolean {
  if (!redirectUri) return true;
  const expected = new URL(redirectUri);
  return (
    page.origin + page.pathname === expected.origin + expected.pathname &&
    [...expected.searchParams].every(([each, value]) => page.searchParams.get(each) === value)
  );
}
