import { domainToASCII, domainToUnicode } from "node:url";

const maxBytes = 254;
/** Nothing that is not seen: controls, format, unassigned, fillers, selectors, joiners, and signs that are drawn as blanks. */
const unseen =
  /[\s\p{C}\p{Default_Ignorable_Code_Point}\u2800\u2D7F\uFFFC\uFFFD\u{1107F}\u{13440}-\u{13442}\u{16FE4}\u{1D159}]/u;
const local = /^[^@]{1,64}$/u;
/** Letters, marks, digits, hyphens, dots; the ideographic dot is one (UTS 46). */
const domainText = /^[\p{L}\p{M}\p{N}.\u3002-]{1,254}$/u;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A host that ends so is an IPv4 address, whatever stands before (WHATWG URL, 3.6). */
const number = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * The one form of an e-mail address under which an account is stored: trimmed, NFKC, lower case, the domain in ASCII
 * (`bücher.example` and `xn--bcher-kva.example` are one). Idempotent for addresses.
 */
export function normalizeEmail(text: string): string {
  const folded = text.trim().normalize("NFKC").toLowerCase().normalize("NFKC");
  const at = folded.lastIndexOf("@") + 1;
  return folded.slice(0, at) + toAscii(folded.slice(at));
}

/** An address in the form in which its owner types it, with the domain in letters. */
export function toLetters(email: string): string {
  const at = email.lastIndexOf("@") + 1;
  const domain = email.slice(at);
  return email.slice(0, at) + (domainToUnicode(domain) || domain);
}

/** Without SMTPUTF8, which SES does not speak, what stands before the @ is ASCII (RFC 5321, 4.1.2); nothing is quoted. */
const mailable = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@/;

/** Answers whether mail can be sent to an address, which is normalised, and to no other beside it. */
export const isMailable = (email: string): boolean => mailable.test(email);

/** Answers whether a normalised text can be an address: `local@domain`, at most 254 bytes (RFC 5321, 4.5.3.1). */
export function isEmail(text: string): boolean {
  // Length first: nothing below runs over more than 254 characters.
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes || unseen.test(text)) return false;
  const [name = "", domain = "", ...rest] = text.split("@");
  const labels = domain.split(".");
  const isDomain = labels.every(isLabel) && !number.test(labels.at(-1) ?? "");
  return rest.length === 0 && local.test(name) && isDomain;
}

/**
 * An A-label must be what its letters make (UTS 46): `xn--a` is a name that nobody can have, and what is not seen must not stand in
 * one either.
 */
function isLabel(text: string): boolean {
  const letters = domainToUnicode(text);
  return label.test(text) && (!text.startsWith("xn--") || (letters !== text && toAscii(letters) === text));
}

/** Leaves as it is what cannot be a domain: `domainToASCII` takes ports, paths and escapes, and drops soft hyphens. */
function toAscii(domain: string): string {
  const isText = domainText.test(domain) && !unseen.test(domain);
  return (isText && domainToASCII(domain)) || domain;
}
