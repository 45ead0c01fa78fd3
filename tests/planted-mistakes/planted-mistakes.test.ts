import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { copyProject, removeFolder } from "../support/project.ts";
import { type Edit, type Finder, readMistakes } from "./mistakes.ts";

// Each test that is named beside a mistake passes on the source as it is and fails once the mistake is planted.

const { half } = globalThis as unknown as { half: number };
const mistakes = readMistakes();
const ours = mistakes.filter((_, index) => index % 2 === half);
const folder = copyProject("tests", "jest.config.ts", "tsconfig.json");
afterAll(() => removeFolder(folder));

interface Report {
  numTotalTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; message: string }[];
}

/** Runs test files in the copy. Throws if Jest itself breaks. */
async function runJest(paths: string[], { config = "jest.config.ts", env = {} }: Partial<Finder> = {}) {
  const report = join(folder, ".local/report.json");
  rmSync(report, { force: true });
  // What Jest tells its own workers is not meant for another Jest.
  const { JEST_WORKER_ID: _, NODE_OPTIONS: __, ...inherited } = process.env;
  const flags = "--disable-warning=ExperimentalWarning --experimental-vm-modules".split(" ");
  const jest = ["node_modules/jest/bin/jest.js", "-i", "--forceExit", "--json", `--outputFile=${report}`];
  const args = [...flags, ...jest, "--config", config, "--runTestsByPath", ...paths];
  const options = { cwd: folder, env: { ...inherited, ...env }, maxBuffer: 2 ** 28 };
  const { stderr } = await promisify(execFile)(process.execPath, args, options).catch((error) => error);
  try {
    return JSON.parse(readFileSync(report, "utf8")) as Report;
  } catch {
    throw new Error(stderr);
  }
}

/** Plants the edits, runs, and takes them back. Throws where a text does not stand exactly once: the mistake has to follow. */
async function withEdits<T>(edits: Edit[], run: () => Promise<T>): Promise<T> {
  const sources = new Map(edits.map(({ file }) => [file, readFileSync(join(folder, file), "utf8")]));
  const planted = new Map(sources);
  for (const { file, find, put } of edits) {
    const [before, after, ...others] = (planted.get(file) ?? "").split(find);
    if (after === undefined || others.length > 0)
      throw new Error(`this should stand in ${file} once: ${find}`);
    planted.set(file, `${before}${put}${after}`);
  }
  try {
    for (const [file, text] of planted) writeFileSync(join(folder, file), text);
    return await run();
  } finally {
    for (const [file, text] of sources) writeFileSync(join(folder, file), text);
  }
}

const broken = new Set<string>();

beforeAll(async () => {
  const finders = ours.flatMap(({ foundBy }) => foundBy);
  const plain = new Set(finders.filter(({ says }) => !says).map(({ path }) => path));
  const { testResults } = await runJest([...plain]);
  for (const { name, status } of testResults)
    if (status !== "passed") broken.add(name.slice(folder.length + 1));
});

for (const { promise, mistake, edits, foundBy } of ours) {
  for (const finder of foundBy) {
    const { path, says } = finder;
    test(`${mistake} (${promise}): ${path}${says ? ` says ${says}` : ""}`, async () => {
      expect({ path, isBroken: broken.has(path) }).toEqual({ path, isBroken: false });
      const { numFailedTests, testResults } = await withEdits(edits, () => runJest([path], finder));
      const message = testResults.map((result) => result.message).join("\n");
      // Failed, and not unable to run: a mistake that does not even start shows nothing.
      expect({ numFailedTests, message }).not.toMatchObject({ numFailedTests: 0 });
      if (says) expect(message).toContain(says);
    });
  }
}
