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

test.each([
  ["A17 common", "passwordpassword"],
  ["A17 common, in upper case", "PassWordPassword"],
  ["A17 common, full width", "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ"],
  ["A17 common digits, over and over", "123456789012345"],
  ["a common word, three times", "sunshineSunshinesunshine"],
])("refused as common: %s", (_, password) => {
  expect(faultOf(password)).toMatch(/most common passwords/);
});

test.each([
  ["A17 the address itself", "ada.lovelace@example.com"],
  ["A17 in upper case", "ADA.LOVELACE@EXAMPLE.COM"],
  ["A17 with something around it", "my ada.lovelace@example.com!"],
  ["A17 its local part", "ada.lovelace"],
  ["A17 its local part in upper case", "Ada.Lovelace"],
])("refused as one's own e-mail address: %s", (_, password) => {
  expect(faultOf(password)).toMatch(/e-mail address/);
});

test.each([
  ["A18 lower case only", "abcdefghijklmnopqrst"],
  ["A16 differs from a common one by a blank", "password password"],
  ["begins with a common one", "sunshine in november"],
  ["ends as it begins", "november sunshine in november"],
  ["the local part and more", "ada.lovelace wrote this"],
  ["emoji", "😀".repeat(15)],
  ["a text that is a member of every object", "__proto__"],
])("accepted, whatever it is made of: %s", (_, password) => {
  expect(faultOf(password)).toBeUndefined();
});

test("a refusal never repeats the password", () => {
  expect(faultOf("passwordpassword")).not.toContain("passwordpassword");
  expect(faultOf(email)).not.toContain("ada");
});
