/** Masks an address so that only who knows it sees which it is: `a•••@b•••.com`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf("@");
  const domain = email.slice(at + 1);
  const begin = (text: string) => `${String.fromCodePoint(text.codePointAt(0) ?? 0x2022)}•••`;
  return `${begin(email.slice(0, at))}@${begin(domain)}${domain.slice(domain.lastIndexOf("."))}`;
}
