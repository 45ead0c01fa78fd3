import { expect, test } from "@jest/globals";
import { chooseLanguage } from "./language.ts";

test.each([
  [undefined, "en"],
  ["", "en"],
  ["de", "de"],
  ["de-AT, en;q=0.5", "de"],
  ["DE-de", "de"],
  ["en;q=0.3, de;q=0.7", "de"],
  ["en, de", "en"],
  ["tlh, de;q=0.5", "de"],
  ["de;q=0, en;q=0.1", "en"],
  ["fr, *", "en"],
  ["fr", "en"],
  ["de;q=2", "en"],
  ["de\r\nBcc: a@example.com", "en"],
  [`de${", de".repeat(3_000)}`, "en"],
])("M10 Accept-Language %j: %s", (header, language) => {
  expect(chooseLanguage(header?.slice(0, 10_000), ["en", "de"])).toBe(language);
});

test("the first language of the setting is for whoever reads none of them", () => {
  expect(chooseLanguage("fr", ["de", "en"])).toBe("de");
  expect(chooseLanguage("en", ["de"])).toBe("de");
  expect(chooseLanguage("*", ["de", "en"])).toBe("de");
});
