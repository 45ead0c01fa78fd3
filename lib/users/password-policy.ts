/** The longest password, in Unicode code points; longer ones are refused before any hashing. */
export const passwordMaxLength = 256;

/** The length of a password in code points after NFKC (NIST SP 800-63B-4), or undefined if it is not Unicode text. */
export function passwordLength(password: string): number | undefined {
  return password.isWellFormed() ? [...password.normalize("NFKC")].length : undefined;
}

/**
 * Says why a password of sufficient length may not be used, or undefined if it may: common passwords and the
 * user's own e-mail address (OWASP ASVS 6.2.4, 6.2.11). There are no composition rules.
 */
export function findPasswordFault(
  password: string,
  { email, commonPasswords }: { email: string; commonPasswords: ReadonlySet<string> },
): string | undefined {
  const text = password.normalize("NFKC").toLowerCase();
  if (commonPasswords.has(text)) return "is among the most common passwords; choose another one";
  if (text.includes(email) || text === email.split("@")[0])
    return "must not be or contain your e-mail address";
  return undefined;
}
