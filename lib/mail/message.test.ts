import { describe, expect, test } from "@jest/globals";
import { languages } from "./language.ts";
import { type Content, createMessage } from "./message.ts";
import { en } from "./texts/en.ts";
import type { TextName } from "./texts/texts.ts";

const names = Object.keys(en.mails) as TextName[];
const link = "https://app.example.com/account?a=1&b=2#kind=reset&code=K4MXQ2T9W";
const facts = {
  ...{ appName: 'A <b>&"', host: "app.example.com", device: "Chrome on Windows", ip: "192.0.2.7" },
  ...{ at: 1_800_000_000, seconds: 3_600, maskedEmail: "a•••@b•••.com" },
};

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const readEntities = (html: string) => html.replace(/&([a-z]+|#39);/g, (_, name) => entities[name] ?? "?");

/** What is read of an HTML mail, and where its links lead, in the form of the text. */
function readHtml(html: string): string {
  const [, main = ""] = /<main>(.*)<\/main>/s.exec(html) ?? [];
  const parts = [...main.matchAll(/<p class="(\w+)">(.*?)<\/p>/gs)].map(([, is, inner = ""]) => {
    const [, href = ""] = /href="([^"]*)"/.exec(inner) ?? [];
    const text = readEntities(inner.replace(/<[^>]*>/g, ""));
    if (is === "button") return `${text}:\n${readEntities(href)}`;
    return is === "code" ? `    ${text}` : text;
  });
  return `${parts.join("\n\n")}\n`;
}

describe.each(languages)("M10 in %s", (language) => {
  test.each(names)("%s: the same parts in text and HTML, one link at most, nothing to load", (name) => {
    const content: Content = { name, language, facts, link, code: "K4MXQ2T9W" };
    const { subject, text, html } = createMessage(content);
    expect(readHtml(html)).toBe(text);
    expect(subject).toMatch(/^[\p{L}\d ,-]{5,60}$/u);
    expect(text).not.toMatch(/undefined|null|NaN|\[object/);
    expect(html).toContain(`<html lang="${language}" dir="ltr">`);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).not.toMatch(/<img|<link|<script|@import|url\(|src=/i);
    const addresses = (written: string) => written.match(/https?:[^\s"]*/g) ?? [];
    const expected = addresses(text).length > 0 ? [link] : [];
    expect([addresses(text), addresses(readEntities(html))]).toEqual([expected, expected]);
  });
});

test("a code stands in the text and behind the link, and in no subject", () => {
  const { subject, text } = createMessage({ name: "reset", language: "en", facts, link, code: "K4MXQ2T9W" });
  expect(subject).toBe("Set a new password");
  expect(text).toBe(`Somebody, probably you, wants to set a new password for your account at A <b>&".

Enter this code on the page of app.example.com where you began. It begins with K, as that page says.

    K4M-XQ2-T9W

In the same browser you can also open this:

Set a new password:
${link}

The code is good for 60 minutes, and only at app.example.com. Nobody at A <b>&" will ever ask you for it, by telephone or by message.

If it was not you, ignore this mail: nothing has changed. Your password still works.

It came from: Chrome on Windows, address 192.0.2.7, 15 January 2027 at 08:00 UTC.
`);
});

test("M08 what the application is called is no HTML", () => {
  const { html } = createMessage({ name: "reset", language: "en", facts, link, code: "K4MXQ2T9W" });
  expect(html).toContain("at A &lt;b&gt;&amp;&quot;.");
  expect(html).not.toContain("<b>");
});

test("without a code there is none, and no browser where there was none", () => {
  const { text } = createMessage({
    ...{ name: "undo", language: "de", link, hasToken: true },
    facts: { ...facts, device: undefined, ip: undefined, seconds: 86_400 },
  });
  expect(text).toContain(`Änderung rückgängig machen:\n${link}\n\nDer Link gilt 24 Stunden.`);
  expect(text).not.toMatch(/Code|Es kam von/);
});

test.each([
  ["en", 600, "10 minutes", "Chrome on Windows"],
  ["de", 600, "10 Minuten", "Chrome auf Windows"],
  ["en", 604_800, "7 days", "Chrome on Windows"],
  ["de", 604_800, "7 Tage", "Chrome auf Windows"],
] as const)("times and devices are told in %s: %d s", (language, seconds, duration, device) => {
  const content: Content = { name: "login", language, facts: { ...facts, seconds }, link, code: "K4MXQ2T9W" };
  const { text } = createMessage(content);
  expect(text).toContain(duration);
  expect(text).toContain(device);
});
