import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { hasRepeatedName } from "./repeated-name.ts";

test.each([
  ['{"a":1,"a":2}', true],
  ['{"a":1,"a":1}', true],
  ['{"a":"x" , "b":"y","a" \n:\t"z"}', true],
  ['{"a":1,"\\u0061":2}', true],
  ['{"\\"":1,"\\u0022":2}', true],
  ['{"__proto__":1,"__proto__":2}', true],
  ['{"":1,"":2}', true],
  ['{"a":1,"a":null}', true],
  ['{"a":null,"a":"x"}', true],
  ['{"a":{"b":1},"a":"x"}', true],
  ["{}", false],
  ['{"a":1,"A":2}', false],
  ['{"a":"a"}', false],
  ['{"a":"\\"a\\":1,\\"a\\":2"}', false],
  ['{"a":"\\\\","b":":"}', false],
  ['{"a":":","b":"b:"}', false],
  ['{"a":null}', false],
  ['"a"', false],
  ["null", false],
  ["1", false],
  ['["a","a"]', false],
])("%s: %p", (text, isRepeated) => {
  expect(hasRepeatedName(text, JSON.parse(text))).toBe(isRepeated);
});

const name = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", ":", '":', "a", "__proto__"));
const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"a":', "\\"),
  fc.integer(),
  fc.boolean(),
);
const blanks = fc.constantFrom("", " ", "\n", "\t \r\n");
const members = fc.array(fc.tuple(name, fc.oneof(value, fc.constant(null)), blanks), { maxLength: 8 });

/** Some of a string's characters escaped, as another serialiser might. */
function toJson(entries: [string, unknown, string][]): string {
  return `{${entries.map(([key, item, blank]) => `${blank}${JSON.stringify(key)}${blank}:${blank}${JSON.stringify(item)}`)}}`;
}

test("an object whose names are all different is never reported", () => {
  fc.assert(
    fc.property(members, (entries) => {
      const unique = [...new Map(entries.map((entry) => [entry[0], entry])).values()];
      const text = toJson(unique);
      return !hasRepeatedName(text, JSON.parse(text));
    }),
  );
});

test("a name that stands there twice is always reported, wherever and however it is escaped", () => {
  fc.assert(
    fc.property(members, name, value, value, fc.nat(), (entries, twice, first, second, at) => {
      const escaped = JSON.stringify(twice).replace(/[a-z]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
      const own = toJson(entries.toSpliced(at % (entries.length + 1), 0, [twice, first, " "]));
      const text = `${own.slice(0, -1)},${isEscapedTwice(twice) ? JSON.stringify(twice) : escaped}:${JSON.stringify(second)}}`;
      return hasRepeatedName(text, JSON.parse(text));
    }),
  );
});

/** Letters after a backslash belong to an escape already. */
function isEscapedTwice(text: string): boolean {
  return JSON.stringify(text).includes("\\");
}

test("a body of 16 KB is read in one go", () => {
  const text = `{"a":"${'\\"'.repeat(8_000)}","b":"${":".repeat(300)}"}`;
  expect(hasRepeatedName(text, JSON.parse(text))).toBe(false);
});
