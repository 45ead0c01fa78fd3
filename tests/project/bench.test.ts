import { describe, expect, test } from "@jest/globals";
import { budgets, findBroken } from "../../bench/budgets.ts";
import type { Facts } from "../../bench/facts.ts";
import { parseOptions } from "../../bench/options.ts";
import type { FunctionName } from "../../bench/requests.ts";
import { median, quantile } from "../../bench/statistics.ts";

/** Facts that keep every budget to the last byte. */
function createFacts(): Record<FunctionName, Facts> {
  const entries = Object.entries(budgets).map(([name, { bundle, zip, modules, requests = 0, ...units }]) => [
    name,
    {
      ...units,
      bundleBytes: bundle * 1024,
      zipBytes: zip * 1024,
      modules,
      requests: Array<string>(requests).fill("GetItem"),
      heavyModules: [],
      memoryMb: 256,
      logBytes: 400,
    },
  ]);
  return Object.fromEntries(entries);
}

describe("npm run bench -- --check", () => {
  test("passes when every budget is just kept", () => {
    expect(findBroken(createFacts())).toEqual([]);
  });

  test.each<[string, FunctionName, Partial<Facts>, string]>([
    ["a bundle grows", "movies", { bundleBytes: 42 * 1024 + 52 }, "movies: bundle 42.1, the budget is 42"],
    ["a function is not packaged", "me", { zipBytes: 0 }, "me: zip 0.0, the budget is 20"],
    ["a request is sent more", "movies", { requests: ["GetItem"] }, "movies: requests 1.0, the budget is 0"],
    ["an attempt is not counted", "login", { writeUnits: 2 }, "login: writeUnits 2.0, the budget is 4"],
    ["web streams are loaded", "movies", { heavyModules: ["webstreams"] }, "movies: loads webstreams"],
  ])("fails when %s", (_, name, change, message) => {
    const facts = createFacts();
    Object.assign(facts[name], change);
    expect(findBroken(facts)).toEqual([message]);
  });
});

describe("the command line of npm run bench", () => {
  test("has defaults", () => {
    expect(parseOptions([])).toEqual({ check: false, rounds: 15, save: false, help: false });
    expect(parseOptions(["--rounds", "3", "--save"])).toMatchObject({ rounds: 3, save: true });
  });

  test.each([
    ["--rounds 0", "--rounds must be a whole number from 1 to 100."],
    ["--check --save", "--check measures no time: leave --rounds and --save out."],
    ["--fast", "Unknown option '--fast'"],
  ])("%s is refused: %s", (line, message) => {
    expect(() => parseOptions(line.split(" "))).toThrow(message);
  });
});

test("quantiles are samples, by nearest rank", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2]);
  expect([quantile([5, 1], 0.99), quantile([7], 0.5)]).toEqual([5, 7]);
  expect(() => median([])).toThrow(RangeError);
});
