import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { readMistakes } from "../planted-mistakes/mistakes.ts";

// What can be said of mistakes.txt without planting anything: `npm run test:mistakes` does that.

const mistakes = readMistakes();
const security = readFileSync("SECURITY.md", "utf8");

test("each text to change stands once in its file: a change of a line changes the list with it", () => {
  const stale = mistakes.flatMap(({ mistake, edits }) =>
    edits.flatMap(({ file, find }) => {
      const times = readFileSync(file, "utf8").split(find).length - 1;
      return times === 1 ? [] : [{ mistake, file, find, times }];
    }),
  );
  expect(stale).toEqual([]);
});

test("each mistake is found by tests that are there", () => {
  const lost = mistakes.filter(
    ({ foundBy }) => foundBy.length === 0 || !foundBy.every(({ path }) => existsSync(path)),
  );
  expect(lost).toEqual([]);
});

test("each group is a promise of SECURITY.md, which says how many mistakes there are", () => {
  expect(mistakes.filter(({ promise }) => !security.includes(`| ${promise}`))).toEqual([]);
  expect(/each of (\d+)\s+mistakes/.exec(security)?.[1]).toBe(String(mistakes.length));
});

test("the security catalogue's twenty mistakes are here", () => {
  const ids = new Set(mistakes.flatMap(({ mistake }) => /^M\d+/.exec(mistake) ?? []));
  // M6: revoking deletes the session by design, and no late write brings it back: M3, and the put that overwrites.
  const numbers = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
  expect(ids).toEqual(new Set(numbers.map((number) => `M${number}`)));
});
