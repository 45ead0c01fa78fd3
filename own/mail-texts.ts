import type { Language } from "../lib/mail/language.ts";
import type { Texts } from "../lib/mail/texts/texts.ts";

// The texts of mails that your team words itself. No upgrade of this project touches this file (docs/upgrade.md).

/** By language, what is made of the texts that come along: `en: (texts) => ({ ...texts, orOpen: "Or open this:" })`. */
export const ownTexts: { [Name in Language]?: (texts: Texts) => Texts } = {};
