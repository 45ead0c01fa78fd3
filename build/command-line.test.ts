import { expect, test } from "@jest/globals";
import { toLine } from "./command-line.ts";

test.each([
  [undefined, '{"name":"a\\u001b[2J\\n\\u2028\\u00fc","list":[1]}'],
  [2, '{\n  "name": "a\\u001b[2J\\n\\u2028\\u00fc",\n  "list": [\n    1\n  ]\n}'],
])("with an indent of %p nothing that is told gets out of its text", (indent, line) => {
  expect(toLine({ name: "a\u001b[2J\n\u2028\u00fc", list: [1] }, undefined, indent)).toBe(line);
});
