/** What a page needs of what a provider has sent; Apple's `user` is dropped, since nothing here stores a name. */
const names = ["code", "state", "iss", "error"];

/** The gateway sends no longer header. */
const maxLength = 8_192;

/**
 * The URL of the page with what a provider has sent in a form (OAuth 2.0 Form Post Response Mode): what stands there twice, is too
 * long or no text is left out, and the page finds something missing.
 */
export function createReturnUrl(page: string, form: URLSearchParams): string {
  let url = page;
  for (const name of names) {
    const [value = "", ...others] = form.getAll(name);
    if (others.length > 0 || !/^[\x20-\x7e]{1,4096}$/.test(value)) continue;
    const next = new URL(url);
    next.searchParams.set(name, value);
    if (next.href.length <= maxLength) url = next.href;
  }
  return url;
}
