import { globSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const text = readFileSync(new URL("cases.md", import.meta.url), "utf8");
const [held = "", notApplicable = ""] = text.split("## Not applicable");
const idsIn = (part: string) => [...part.matchAll(/^\| ([A-Z]\d\d) \| \S/gm)].map(([, id = ""]) => id);
const heldIds = idsIn(held);
const otherIds = idsIn(notApplicable);

/** How many cases each part of the catalogue has; they are numbered from 01. */
const parts = {
  ...{ J: 58, K: 14, C: 27, B: 23, R: 54, A: 35, H: 20, S: 26, T: 12, E: 14, G: 6, I: 8 },
  ...{ F: 18, L: 6, M: 13, N: 18, O: 44, V: 17, W: 7, U: 17, Y: 6, P: 31, X: 65, D: 23, Q: 4 },
};
const all = Object.entries(parts).flatMap(([part, count]) =>
  Array.from({ length: count }, (_, i) => part + String(i + 1).padStart(2, "0")),
);

/** The ids with which the names of tests, or the rows that become names, begin. */
const named = new Set(
  globSync("{client,lib,tests}/**/*.test.ts").flatMap((file) => {
    const names = readFileSync(file, "utf8").matchAll(
      /["'`]((?:(?:[JKCBRAHSTEGMFWYVLNOPUXDQ]\d\d|I0\d) ?)+)(?=[ "'`])/g,
    );
    return [...names].flatMap(([, ids = ""]) => ids.trim().split(" "));
  }),
);

test("every case of the catalogue is listed once: as held by tests, or as not applicable", () => {
  expect([...heldIds, ...otherIds].sort()).toEqual(all.toSorted());
});

test("what does not apply has a reason", () => {
  expect(notApplicable.match(/^\| [A-Z]\d\d \| [^|]+ \| [^|]{10,} \|$/gm)).toHaveLength(otherIds.length);
});

test("every case that applies is in the name of a test", () => {
  expect(heldIds.filter((id) => !named.has(id))).toEqual([]);
});

test("no test has the id of a case that does not apply, or of none", () => {
  expect([...named].filter((id) => !heldIds.includes(id))).toEqual([]);
});
