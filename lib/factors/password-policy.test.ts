import { expect, test } from "@jest/globals";
import { findPasswordFault, passwordLength } from "./password-policy.ts";

const commonPasswords: ReadonlySet<string> = new Set(["passwordpassword", "1234567890", "sunshine"]);
const email = "ada.lovelace@example.com";
const faultOf = (password: string) => findPasswordFault(password, { email, commonPasswords });

test.each([
  ["", 0],
  ["fifteen letters", 15],
  ["😀".repeat(15), 15], // A13: not the 30 of UTF-16
  ["e\u0301", 1], // A14: an accent counts with its letter
  ["ａｂ", 2],
  ["\ufdfa", 18], // NFKC takes this one apart
  [" a ", 3], // A15
])("the length of %j in code points is %d", (password, length) => {
  expect(passwordLength(password)).toBe(length);
});

test.each(["\ud800", "a\udc00b", "\udc00\ud800"])("%j is no Unicode text and has no length", (password) => {
  expect(passwordLength(password)).toBeUndefined();
});

const fullWidth = "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ";

test.each([
  ["A17 as common", ["passwordpassword", "PassWordPassword", fullWidth]],
  ["A17 as a common one over and over", ["123456789012345", "sunshineSunshinesunshine"]],
])("refused %s", (_, passwords) => {
  for (const password of passwords) expect(faultOf(password)).toMatch(/most common passwords/);
});

test.each([
  ...["ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM", "my ada.lovelace@example.com!"],
  ...["ada.lovelace", "Ada.Lovelace"],
])("A17 refused as one's own e-mail address: %s", (password) => {
  expect(faultOf(password)).toMatch(/e-mail address/);
});

test.each([
  ...[
    "ada@xn--bcher-kva.example",
    "ada@bücher.example",
    "ＡＤＡ@BU\u0308CHER.example",
    "I am ada@bücher.example",
  ],
  ...["ada@bücher。example", " ada@bücher｡example"],
])("A17 refused as one's own, whose domain is not ASCII: %s", (password) => {
  const own = { email: "ada@xn--bcher-kva.example", commonPasswords };
  expect(findPasswordFault(password, own)).toMatch(/e-mail address/);
});

test.each([
  ...["abcdefghijklmnopqrst", "password password", "sunshine in november", "november sunshine in november"],
  ...["ada.lovelace wrote this", "😀".repeat(15), "__proto__"],
])("A16 A18 accepted, whatever it is made of: %s", (password) => {
  expect(faultOf(password)).toBeUndefined();
});

test("a refusal never repeats the password", () => {
  expect(faultOf("passwordpassword")).not.toContain("passwordpassword");
  expect(faultOf(email)).not.toContain("ada");
});
