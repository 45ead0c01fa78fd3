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
])("one account: %s", (_, text, address) => {
  expect(normalizeEmail(text)).toBe(address);
  expect(isEmail(normalizeEmail(text))).toBe(true);
});

test("a dotless i and a dotted one are not folded into each other", () => {
  expect(new Set(["i", "ı", "İ"].map((i) => normalizeEmail(`${i}@example.com`))).size).toBe(3);
});

const domainOf = (length: number) => `${`${"d".repeat(63)}.`.repeat(5).slice(0, length - 1)}c`;

test.each([
  ["plain", "ada@example.com"],
  ["any visible ASCII before the @", "!#$%&'*+/=?^_`{|}~-.@example.com"],
  ["a single label, as on a machine of one's own", "root@localhost"],
  ["international", "δοκιμή@παράδειγμα.ελ"],
  ["a local part of 64 characters", `${"a".repeat(64)}@example.com`],
  ["a label of 63 characters", `a@${"b".repeat(63)}.com`],
  ["B16 254 bytes", `a@${domainOf(252)}`],
])("an address: %s", (_, text) => {
  expect(isEmail(normalizeEmail(text))).toBe(true);
});

test.each([
  ["B16 no @", "example.com"],
  ["B16 two @", "a@b@example.com"],
  ["nothing after the @", "a@"],
  ["B16 CR LF inside", "a\r\nb@example.com"],
  ["B16 LF in the domain", "a@example\n.com"],
  ["B16 NUL inside", "a\u0000b@example.com"],
  ["B16 a blank inside", "a b@example.com"],
  ["a zero-width space", "a\u200bb@example.com"],
  ["a lone surrogate", "a\ud800@example.com"],
  ["a sign that NFKC turns into a blank", "\u00a8a@example.com"],
  ["an empty label", "a@example..com"],
  ["a dot at the end", "a@example.com."],
  ["a hyphen before a dot", "a@example-.com"],
  ["a hyphen after the @", "a@-example.com"],
  ["an underscore in the domain", "a@exam_ple.com"],
  ["an address literal", "a@[127.0.0.1]"],
  ["a local part of 65 characters", `${"a".repeat(65)}@example.com`],
  ["a label of 64 characters", `a@${"b".repeat(64)}.com`],
  ["B16 255 bytes", `a@${domainOf(253)}`],
  ["B16 270 bytes in 136 characters", `${"é".repeat(64)}@${"é".repeat(60)}.${"é".repeat(10)}`],
  ["B16 10 kB", `a@${domainOf(252)}${".example".repeat(1250)}`],
  ["B17 50,000 labels", `a@${"a.".repeat(50_000)}`],
])("not an address: %s", (_, text) => {
  expect(isEmail(normalizeEmail(text))).toBe(false);
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
