import { ownTexts } from "../../own/mail-texts.ts";
import { formatCode } from "./codes.ts";
import type { Language } from "./language.ts";
import { de } from "./texts/de.ts";
import { en } from "./texts/en.ts";
import type { Facts, TextName, Texts } from "./texts/texts.ts";

/** A mail as it is sent. */
export interface Message {
  subject: string;
  text: string;
  html: string;
}

/** What a mail is made of. */
export interface Content {
  name: TextName;
  language: Language;
  facts: Facts;
  /** What is to be typed in. */
  code?: string;
  /** Where the button leads. */
  link: string;
  /** Of a mail whose link opens something by itself. */
  hasToken?: boolean;
}

type Part =
  | { is: "paragraph" | "code" | "remark"; text: string }
  | { is: "button"; label: string; href: string };

const languages: Record<Language, Texts> = { en: ownTexts.en?.(en) ?? en, de: ownTexts.de?.(de) ?? de };

/** Writes a mail: text and HTML have the same parts, and nothing in them was chosen by whoever asked. */
export function createMessage(content: Content): Message {
  const texts = languages[content.language];
  const { subject } = texts.mails[content.name];
  const parts = listParts(content, texts);
  return { subject, text: toText(parts), html: toHtml(parts, { ...content, ...texts, subject }) };
}

function listParts({ name, facts, code, link, hasToken }: Content, texts: Texts): Part[] {
  const { opening, button, closing } = texts.mails[name];
  const paragraph = (text: string): Part => ({ is: "paragraph", text });
  const toOpen: Part[] = button ? [{ is: "button", label: button, href: link }] : [];
  const typed: Part[] = code
    ? [
        paragraph(texts.enter(facts, code.slice(0, 1))),
        { is: "code", text: formatCode(code) },
        paragraph(texts.orOpen),
      ]
    : [];
  return [
    paragraph(opening(facts)),
    ...typed,
    ...toOpen,
    ...(code ? [paragraph(texts.keep(facts))] : []),
    ...(hasToken ? [paragraph(texts.goodFor(facts))] : []),
    paragraph(closing(facts)),
    // Not every client is a browser.
    ...(facts.device ? [{ is: "remark", text: texts.asked(facts) } as const] : []),
  ];
}

function toText(parts: Part[]): string {
  const lines = parts.map((part) => {
    if (part.is === "button") return `${part.label}:\n${part.href}`;
    return part.is === "code" ? `    ${part.text}` : part.text;
  });
  return `${lines.join("\n\n")}\n`;
}

// One column, the reader's own fonts, nothing to load. The colours are readable, too, where a mail program inverts them.
const style = `:root{color-scheme:light dark;supported-color-schemes:light dark}
body{margin:0;padding:24px;background:#ffffff;color:#1f2937;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:520px;margin:0 auto}
p{margin:0 0 16px}
.code{font:bold 28px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px;margin:24px 0}
.button a{display:inline-block;padding:12px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:bold}
.remark{font-size:14px;color:#4b5563}
@media (prefers-color-scheme:dark){body{background:#111827;color:#f3f4f6}.button a{background:#93c5fd;color:#111827}.remark{color:#d1d5db}}`;

function toHtml(
  parts: Part[],
  { subject, language, direction }: { subject: string; language: Language; direction: Texts["direction"] },
): string {
  const body = parts.map((part) =>
    part.is === "button"
      ? `<p class="button"><a href="${escapeHtml(part.href)}">${escapeHtml(part.label)}</a></p>`
      : `<p class="${part.is}">${escapeHtml(part.text)}</p>`,
  );
  return `<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>
${style}
</style>
</head>
<body>
<main>
${body.join("\n")}
</main>
</body>
</html>
`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes a text safe in HTML, between tags and in attributes with quotes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
