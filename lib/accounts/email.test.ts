import { expect, test } from "@jest/globals";
import { isEmail, normalizeEmail } from "./email.ts";

test.each([
  ["A06 upper case", "User@Example.COM", "user@example.com"],
  ["A06 blanks around", "  user@example.com\t\r\n", "user@example.com"],
  ["A06 an unusual blank around", "\u00a0user@example.com\u3000", "user@example.com"],
  ["A07 full width", "ａｄｍｉｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "admin@example.com"],
  ["A07 a ligature", "ﬁona@example.com", "fiona@example.com"],
  ["A07 the Kelvin sign", "\u212aate@example.com", "kate@example.com"],
  ["A08 a combining accent", "jose\u0301@example.com", "jos\u00e9@example.com"],
  ["A34 a domain in letters", "ada@Bücher.example", "ada@xn--bcher-kva.example"],
  ["A34 a domain in ASCII", "ada@XN--bcher-kva.example", "ada@xn--bcher-kva.example"],
  [
    "A34 letters that other rules would change",
    "ada@xn--fuball-cta.xn--mgbaam7a8h",
    "ada@xn--fuball-cta.xn--mgbaam7a8h",
  ],
  ["A34 ideographic dots", "ada@例え。example｡com", "ada@xn--r8jz45g.example.com"],
])("one account: %s", (_, text, address) => {
  expect(normalizeEmail(text)).toBe(address);
  expect(isEmail(normalizeEmail(text))).toBe(true);
});

test("a dotless i and a dotted one are not folded into each other", () => {
  expect(new Set(["i", "ı", "İ"].map((i) => normalizeEmail(`${i}@example.com`))).size).toBe(3);
});

const domainOf = (length: number) => `${`${"d".repeat(63)}.`.repeat(5).slice(0, length - 1)}c`;

test.each([
  ...["ada@example.com", "!#$%&'*+/=?^_`{|}~-.@example.com", "root@localhost", "δοκιμή@παράδειγμα.ελ"],
  // A virama joins letters in ordinary words.
  ...["हिन्दी@example.com", "မန္တလေး@example.com", "ខ្មែរ@example.com"],
  ...[`${"a".repeat(64)}@example.com`, `a@${"b".repeat(63)}.com`, `a@${domainOf(252)}`],
])("an address: %s", (text) => {
  expect(isEmail(normalizeEmail(text))).toBe(true);
});

test.each([
  ["no @, or two, or nothing behind it", ["example.com", "a@b@example.com", "a@"]],
  ["a line break, NUL or a blank", ["a\r\nb@c.de", "a@c\n.de", "a\u0000b@c.de", "a b@c.de", "\u00a8a@c.de"]],
  ["a zero-width space or a lone surrogate", ["a\u200bb@example.com", "a\ud800@example.com"]],
  [
    "an odd domain",
    ["a@example..com", "a@example.com.", "a@example-.com", "a@-example.com", "a@exam_ple.com"],
  ],
  ["an address literal, a number", ["a@[127.0.0.1]", "a@127.0.0.1", "a@1", "a@b.0x7f", "a@b.08"]],
  ["what a URL's host may have", ["a@b.de:25", "a@b.de/c", "a@%62.de", "a@b.de?c", "a@b.de#c", "a@b\\c"]],
  ["letters that make no domain", ["a@\u0301b.de", "a@1א.com"]],
  [
    "A35 what is not seen",
    [
      ..."\u00ad\u034f\u115f\u180b\u200d\u2060\u2800\u3164\ufe0f\u{e0100}\u{1d159}\u0378\ue000\u{1107f}\u2d7f\u{13440}\ufffc",
    ].flatMap((sign) => [`a${sign}da@example.com`, `ada@exa${sign}mple.com`]),
  ],
  ["a local part or a label too long", [`${"a".repeat(65)}@example.com`, `a@${"b".repeat(64)}.com`]],
  ["255 bytes, 10 kB", [`a@${domainOf(253)}`, `a@${domainOf(252)}${".example".repeat(1250)}`]],
  ["270 bytes in 136 characters", [`${"é".repeat(64)}@${"é".repeat(60)}.${"é".repeat(10)}`]],
  ["50,000 labels", [`a@${"a.".repeat(50_000)}`]],
  ["A35 an A-label that stands for nothing", ["ada@xn--a.com", "ada@xn--bu-cher-5hb.example"]],
  [
    "A35 an A-label that stands for what letters may not say: U+2800, U+2D7F, U+FFFC, a joiner, a sign",
    ["example-ob0e", "example-sb0e", "example-9h9e", "a-pt7m", "mgba3gch31f060k", "i-7iq"].map(
      (label) => `ada@xn--${label}.com`,
    ),
  ],
])("B16 B17 not an address: %s", (_, texts) => {
  for (const text of texts) expect([text, isEmail(normalizeEmail(text))]).toEqual([text, false]);
});

test("normalising an address again changes nothing, whatever character is in it", () => {
  const unstable: string[] = [];
  for (let code = 0; code < 0x30000; code++) {
    const character = String.fromCodePoint(code);
    for (const text of [`${character}a@b.c`, `a${character}@b.c`, `a@${character}b.c`, `a@b.c${character}`]) {
      const once = normalizeEmail(text);
      if (isEmail(once) && normalizeEmail(once) !== once) unstable.push(code.toString(16));
    }
  }
  expect(unstable).toEqual([]);
});
