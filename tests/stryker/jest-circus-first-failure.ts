import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createEmptyTestResult, type TestResult } from "@jest/test-result";

/** How often each mutant's place was passed, by its id. */
type Counts = Record<string, number>;

/** What Stryker's instrumented source notes in a dry run. */
interface MutantCoverage {
  static: Counts;
  perTest: Record<string, Counts>;
}

/** What is used here of Jest's environment of a test file. */
interface Environment {
  global: { __stryker__?: { mutantCoverage?: MutantCoverage } };
  handleTestEvent?: (event: TestEvent, state: unknown) => unknown;
}

interface TestEvent {
  name: string;
  test?: { errors: unknown[]; mode?: string };
}

type Runner = (
  globalConfig: unknown,
  config: unknown,
  environment: Environment,
  runtime: unknown,
  testPath: string,
  ...rest: unknown[]
) => Promise<TestResult>;

const circus: Runner = createRequire(import.meta.url)("jest-circus/runner").default;
const folder = ".local/test/coverage";
const coverageOf = (testPath: string) => `${folder}/${testPath.replaceAll(/\W/g, "_")}.json`;

/** Answers whether a test file reaches the place of a mutant, as the dry run has shown. */
export function reaches(testPath: string, mutant: string): boolean {
  return JSON.parse(readFileSync(coverageOf(testPath), "utf8")).includes(mutant);
}

/** The mutant that was found last. */
let found: string | undefined;

/**
 * Jest's test runner for Stryker. For a mutant it leaves out all that comes after the first failure, as Stryker's own
 * runner cannot; own-test-first.ts chooses the files.
 */
export default async function run(...args: Parameters<Runner>): Promise<TestResult> {
  const [, , environment, , testPath] = args;
  const mutant = process.env.__STRYKER_ACTIVE_MUTANT__;
  if (mutant === undefined) return runWithCoverage(args);
  if (found === mutant) return nothingOf(testPath);
  stopAtFailure(environment);
  const result = await circus(...args).catch((error: unknown) => ({ ...nothingOf(testPath), error }));
  if ("error" in result) return brokenOutside(testPath, "what comes before the tests");
  if (result.testExecError) return brokenOutside(testPath, "what comes beside the tests");
  if (result.numFailingTests > 0) found = mutant;
  return result;
}

/** Notes which mutants' places a test file passes. */
async function runWithCoverage(args: Parameters<Runner>): Promise<TestResult> {
  const [, , { global }, , testPath] = args;
  const before = structuredClone(global.__stryker__?.mutantCoverage);
  const result = await circus(...args);
  const after = global.__stryker__?.mutantCoverage;
  const changed = (now: Counts = {}, then: Counts = {}) =>
    Object.keys(now).filter((id) => now[id] !== then[id]);
  const passed = Object.entries(after?.perTest ?? {}).flatMap(([test, counts]) =>
    changed(counts, before?.perTest[test]),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    coverageOf(testPath),
    JSON.stringify([...new Set([...passed, ...changed(after?.static, before?.static)])]),
  );
  return result;
}

function stopAtFailure(environment: Environment): void {
  const { handleTestEvent } = environment;
  let hasFailed = false;
  environment.handleTestEvent = async (event, state) => {
    await handleTestEvent?.call(environment, event, state);
    const { name, test } = event;
    if (name === "test_start" && hasFailed && test) test.mode = "skip";
    if (name === "test_done" && test && test.errors.length > 0) hasFailed = true;
  };
}

/** Jest wants at least one test of every file. */
function nothingOf(testPath: string): TestResult {
  return resultOf(testPath, "pending", "nothing of this file");
}

/** What a test file does beside its tests counts as one of them: with the mutant it fails, without it does not. */
function brokenOutside(testPath: string, title: string): TestResult {
  found = process.env.__STRYKER_ACTIVE_MUTANT__;
  return { ...resultOf(testPath, "failed", title), numFailingTests: 1 };
}

function resultOf(testPath: string, status: "pending" | "failed", title: string): TestResult {
  const test = {
    title,
    fullName: title,
    status,
    failureMessages: [title],
    failureDetails: [],
    ancestorTitles: [],
  };
  return {
    ...createEmptyTestResult(),
    testFilePath: testPath,
    testResults: [{ ...test, numPassingAsserts: 0 }],
  };
}
