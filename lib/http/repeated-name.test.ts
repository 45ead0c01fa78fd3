import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { hasRepeatedName } from "./repeated-name.ts";

const repeated = [
  ...['{"a":1,"a":2}', '{"a":1,"a":1}', '{"a":"x" , "b":"y","a" \n:\t"z"}', '{"a":1,"\\u0061":2}'],
  ...['{"\\"":1,"\\u0022":2}', '{"__proto__":1,"__proto__":2}', '{"":1,"":2}', '{"a":1,"a":null}'],
  ...['{"a":null,"a":"x"}', '{"a":{"b":1},"a":"x"}'],
];
const unrepeated = [
  ...["{}", '{"a":1,"A":2}', '{"a":"a"}', '{"a":"\\"a\\":1,\\"a\\":2"}', '{"a":"\\\\","b":":"}'],
  ...['{"a":":","b":"b:"}', '{"a":null}', '"a"', "null", "1", '["a","a"]'],
];

test("a name twice is seen, and nothing else is taken for one", () => {
  const isRepeated = (text: string) => hasRepeatedName(text, JSON.parse(text));
  expect([repeated.filter((text) => !isRepeated(text)), unrepeated.filter(isRepeated)]).toEqual([[], []]);
});

// No backslash in a name: V8's JSON.parse then takes other escaped names for it (nodejs/node#63785), and the test is
// of ours. A name that is misread so holds a backslash, and no field of the API has one.
const name = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', ":", '":', "a", "__proto__"))
  .filter((text) => !text.includes("\\"));
const special = fc.constantFrom('"a":', "\\");
const value = fc.oneof(fc.string({ unit: "binary" }), special, fc.integer(), fc.boolean());
const blanks = fc.constantFrom("", " ", "\n", "\t \r\n");
const members = fc.array(fc.tuple(name, fc.oneof(value, fc.constant(null)), blanks), { maxLength: 8 });

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

test("a name that stands there twice is always reported, wherever it stands and however it is written", () => {
  fc.assert(
    fc.property(members, name, value, value, fc.nat(), (entries, twice, first, second, at) => {
      const own = toJson(entries.toSpliced(at % (entries.length + 1), 0, [twice, first, " "]));
      return [JSON.stringify(twice), escaped(twice)].every((again) => {
        const text = `${own.slice(0, -1)},${again}:${JSON.stringify(second)}}`;
        return hasRepeatedName(text, JSON.parse(text));
      });
    }),
  );
});

/** Every character as its escape. */
function escaped(text: string): string {
  const codes = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return `"${codes.map((code) => `\\u${code.toString(16).padStart(4, "0")}`).join("")}"`;
}

test("a body of 16 KB is read in one go", () => {
  const text = `{"a":"${'\\"'.repeat(8_000)}","b":"${":".repeat(300)}"}`;
  expect(hasRepeatedName(text, JSON.parse(text))).toBe(false);
});
