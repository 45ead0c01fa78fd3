import { expect, test } from "@jest/globals";
import { trimBlanks } from "./trim-blanks.ts";

test.each([
  ["", ""],
  [" \t", ""],
  ["a", "a"],
  ["\t a \t b  ", "a \t b"],
])("spaces and tabs around %j are taken", (text, trimmed) => {
  expect(trimBlanks(text)).toBe(trimmed);
});

test("no other character is, whatever Unicode calls it", () => {
  const taken: string[] = [];
  for (let code = 0; code <= 0xffff; code++) {
    const text = `${String.fromCharCode(code)}a${String.fromCharCode(code)}`;
    if (trimBlanks(text) !== text) taken.push(code.toString(16));
  }
  expect(taken).toEqual(["9", "20"]);
});
