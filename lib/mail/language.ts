/** The languages that mails are written in (lib/mail/texts/). */
export const languages = ["en", "de"] as const;

/** A language of mails (RFC 5646, the first subtag). */
export type Language = (typeof languages)[number];

/** A longer header is nobody's list of languages. */
const maxLength = 1_000;
/** `de`, `de-AT`, `de;q=0.5` (RFC 9110, 12.5.4). */
const range = /^([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*(?:[ \t]*;[ \t]*q=([01](?:\.\d{0,3})?))?$/i;

/** Chooses the language that an Accept-Language header likes best among those there are; otherwise the first of them. */
export function chooseLanguage(header: string | undefined, offered: readonly Language[]): Language {
  const [first = languages[0]] = offered;
  if (header === undefined || header.length > maxLength) return first;
  const wished = header.split(",").flatMap((text) => {
    const [, name = "", weight = "1"] = range.exec(text.trim()) ?? [];
    const language = name === "*" ? first : offered.find((each) => each === name.toLowerCase());
    return language && Number(weight) > 0 ? [{ language, weight: Number(weight) }] : [];
  });
  return wished.sort((a, b) => b.weight - a.weight)[0]?.language ?? first;
}
