import { AppError } from "../errors.ts";

/** The longest password, in Unicode code points; longer ones are refused before any hashing. */
export const passwordMaxLength = 256;

/** The length of a password in code points after NFKC (NIST SP 800-63B-4), or undefined if it is not Unicode text. */
export function passwordLength(password: string): number | undefined {
  return password.isWellFormed() ? [...password.normalize("NFKC")].length : undefined;
}

/**
 * Refuses common passwords and the user's own e-mail address (OWASP ASVS 6.2.4, 6.2.11) for a password of sufficient
 * length. There are no composition rules. Throws AppError `invalid_body` that points at the field.
 */
export function assertUsablePassword(
  password: string,
  {
    email,
    commonPasswords,
    pointer,
  }: { email: string; commonPasswords: ReadonlySet<string>; pointer: string },
): void {
  const fault = findFault(password.normalize("NFKC").toLowerCase(), email, commonPasswords);
  if (!fault) return;
  throw new AppError("invalid_body", {
    detail: `${pointer.slice(2)} ${fault}`,
    errors: [{ pointer, detail: fault }],
  });
}

function findFault(text: string, email: string, commonPasswords: ReadonlySet<string>): string | undefined {
  if (commonPasswords.has(text)) return "is among the most common passwords; choose another one";
  if (text.includes(email) || text === email.split("@")[0])
    return "must not be or contain your e-mail address";
  return undefined;
}
