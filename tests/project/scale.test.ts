import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { costOf, durationOf, type Measured } from "../../bench/cost.ts";
import { defaultLoad, parseOptions } from "../../bench/cost-options.ts";
import { prices } from "../../bench/prices.ts";
import { fillDocument } from "../../bench/scale-document.ts";
import { type Scenario, simulate } from "../../bench/simulate.ts";

test("docs/scale.md shows what the calculator prints (npm run cost -- --write)", () => {
  const document = readFileSync("docs/scale.md", "utf8");
  expect(fillDocument(document)).toBe(document);
  expect(() => fillDocument("<!-- million -->\n<!-- /million -->")).toThrow(
    "docs/scale.md has no section source",
  );
});

describe("the cost of a call", () => {
  const units = { readUnits: 2, writeUnits: 3 };
  const measured: Measured = { memoryMb: 1_024, cpuMs: 10, initMs: 50, firstMs: 20, ...units, logBytes: 300 };
  const load = { ...defaultLoad, coldShare: 0, dynamodbMs: 4 };

  test("a share of a core stretches the processor time; steps wait for DynamoDB", () => {
    expect(durationOf("login", { ...measured, memoryMb: 1_769 }, load)).toBe(10 + 4 * 4);
    expect(durationOf("refresh", { ...measured, memoryMb: 1_769 / 2 }, load)).toBe(20 + 4);
    expect(durationOf("protected", { ...measured, memoryMb: 3_000 }, load)).toBe(10);
  });

  test("who sends a mail waits for SES, too, and is called by no gateway", () => {
    expect(durationOf("mail", { ...measured, memoryMb: 1_769 }, load)).toBe(10 + 4 * 4 + 100);
    const [ask, mail] = (["ask", "mail"] as const).map((name) => costOf(name, measured, load, prices));
    expect([ask?.ses, ask?.gateway, mail?.ses, mail?.gateway]).toEqual([0, 1e-6, 1e-4, 0]);
  });
});

describe("the command line of npm run cost", () => {
  test("changes what it names", () => {
    const { load } = parseOptions(["--users", "10e6", "--logins-per-day", "0.5", "--cold-share", "1"]);
    expect(load).toEqual({ ...defaultLoad, users: 10_000_000, loginsPerDay: 0.5, coldShare: 1 });
    expect(parseOptions(["--write"])).toEqual({ load: defaultLoad, write: true, help: false });
  });

  test.each([
    ["--users many", "--users must be a number such as 3, 0.5 or 10e6."],
    ["--cold-share 1.5", "--cold-share must be from 0 to 1."],
    [`--logins-per-day ${"9".repeat(400)}`, "--logins-per-day must be from 0 to 86,400."],
    ["--write --users 5", "--write goes alone: the document shows the defaults."],
    ["--user 5", "Unknown option '--user'"],
  ])("%.40s is refused: %s", (line, message) => {
    expect(() => parseOptions(line.split(" "))).toThrow(message);
  });
});

describe("the simulation", () => {
  const scenario: Scenario = {
    ...{ rate: 1_000, hotRate: 0, seconds: 3, cpuMs: 5, dynamodbMs: 5, coldMs: 200, warm: 100 },
    ...{ concurrency: 200, growth: 1_000, partitions: 10, isHotIsolated: false },
  };

  test("with room everywhere nothing is refused, a call takes its own time, and a seed repeats it", () => {
    expect(simulate(scenario, 7)).toEqual(simulate(scenario, 7));
    const { p50, ...others } = simulate(scenario);
    expect(others).toMatchObject({ refused: 0, sandboxes: 100, secretReadsPerSecond: 0 });
    expect(p50).toBeGreaterThan(5);
    expect(p50).toBeLessThan(15);
  });

  test("a cold fleet starts sandboxes up to the limit, each reads both secrets once, and what is over is refused", () => {
    const { refused, sandboxes, secretReadsPerSecond } = simulate({ ...scenario, warm: 0, concurrency: 50 });
    expect([sandboxes, secretReadsPerSecond]).toEqual([50, 100]);
    expect(refused).toBeGreaterThan(0.01);
  });

  test("a hot user hurts neighbours until it has a partition of its own", () => {
    const hot = { ...scenario, hotRate: 2_000, concurrency: 5_000 };
    expect(simulate(hot).refused).toBeGreaterThan(0.01);
    const { refused, hotRefused } = simulate({ ...hot, isHotIsolated: true });
    expect(refused).toBe(0);
    expect(hotRefused).toBeGreaterThan(0.2);
  });
});
