import { normalizeEmail, toLetters } from "../accounts/email.ts";
import { AppError } from "../errors.ts";

/** The longest password, in Unicode code points; longer ones are refused before any hashing. */
export const passwordMaxLength = 256;

/** The length of a password in code points after NFKC (NIST SP 800-63B-4), or undefined if it is not Unicode text. */
export function passwordLength(password: string): number | undefined {
  return password.isWellFormed() ? [...password.normalize("NFKC")].length : undefined;
}

/** What a new password must not be. */
interface Unusable {
  /** Undefined while nobody knows whose it will be. */
  email: string | undefined;
  commonPasswords: ReadonlySet<string>;
}

/**
 * Says why a password of sufficient length may not be used: it is common, a common one repeated, or the user's own e-mail address (OWASP
 * ASVS 6.2.4, 6.2.11). There are no composition rules.
 */
export function findPasswordFault(
  password: string,
  { email, commonPasswords }: Unusable,
): string | undefined {
  const text = password.normalize("NFKC").toLowerCase();
  if (commonPasswords.has(text) || commonPasswords.has(repeatedPart(text)))
    return "is among the most common passwords; choose another one";
  if (email !== undefined && holdsAddress(text, email)) return "must not be or contain your e-mail address";
  return undefined;
}

/** Answers whether a text is an address, its local part, or holds it, with the domain in ASCII or in letters. */
function holdsAddress(text: string, email: string): boolean {
  const isOwn = normalizeEmail(text) === email || text === email.split("@")[0];
  return isOwn || text.includes(email) || text.includes(toLetters(email));
}

/** What a text says again and again, the last time perhaps not to the end: `1234567890` of `123456789012345`. */
function repeatedPart(text: string): string {
  let length = 1;
  while (!text.startsWith(text.slice(length))) length++;
  return text.slice(0, length);
}

/** Throws AppError `invalid_body`, which points at the field, for a password that may not be used. */
export function assertUsablePassword(
  password: string,
  { pointer, ...unusable }: Unusable & { pointer: string },
): void {
  const fault = findPasswordFault(password, unusable);
  if (fault) throw invalidPassword(pointer, fault);
}

/** The same while nobody knows whose password it will be: throws AppError `invalid_body` for a common one. */
export function assertUncommonPassword(
  password: string,
  unusable: Pick<Unusable, "commonPasswords"> & { pointer: string },
): void {
  assertUsablePassword(password, { ...unusable, email: undefined });
}

/** The refusal of a password: where it stands in the body, and what is wrong with it. */
export function invalidPassword(pointer: string, detail: string): AppError {
  return new AppError("invalid_body", {
    detail: `${pointer.slice(2)} ${detail}`,
    errors: [{ pointer, detail }],
  });
}
