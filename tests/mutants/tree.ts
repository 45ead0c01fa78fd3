import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyProject, removeFolder } from "../support/project.ts";
import { applyEdit, type Edit, type NamedTest } from "./mutant.ts";

/** How a test ended, by Jest's own word; undefined when it did not run exactly once. */
export type Outcome = string | undefined;

interface JestReport {
  testResults: {
    name: string;
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

const jest = [
  "--disable-warning=ExperimentalWarning",
  "--experimental-vm-modules",
  "node_modules/jest/bin/jest.js",
];

const setup = "<rootDir>/tests/mutants/bundle-setup.ts";

/** A run takes a few seconds, the first one half a minute; on a busy machine much longer. */
export const runSeconds = 900;

/** A copy of the project where mistakes are planted and tests run. */
export type Tree = ReturnType<typeof createTree>;

/** Makes a copy of the project as it stands. */
export function createTree() {
  const folder = copyProject("tests", "jest.config.ts");
  const isolated = { ...process.env };
  // What Jest tells its own workers is not meant for another Jest.
  for (const name of ["JEST_WORKER_ID", "NODE_OPTIONS"]) delete isolated[name];

  /** Runs these tests and no others; gives how each of them ended, in their order, and what Jest printed. */
  async function run(tests: NamedTest[]): Promise<{ outcomes: Outcome[]; output: string }> {
    const patterns = tests.map(({ name }) => patternOf(name));
    const files = [...new Set(tests.map(({ file }) => file))];
    const report = join(folder, ".local/report.json");
    rmSync(report, { force: true });
    const args = [...jest, "-i", "--json", `--outputFile=${report}`, `--globalSetup=${setup}`];
    const output = await execute([...args, "-t", `^(${patterns.join("|")})$`, "--runTestsByPath", ...files]);
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as JestReport;
    const outcomes = tests.map(({ file, name }) => {
      const results = testResults.filter((result) => result.name === join(folder, file));
      const found = results.flatMap(({ assertionResults }) =>
        assertionResults.filter(({ fullName }) => withoutIds(fullName) === withoutIds(name)),
      );
      return found.length === 1 ? found[0]?.status : undefined;
    });
    return { outcomes, output };
  }

  function execute(args: string[]): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = {
      cwd: folder,
      env: isolated,
      timeout: runSeconds * 1000,
      killSignal: "SIGKILL" as const,
    };
    execFile(process.execPath, args, { ...options, maxBuffer: 2 ** 26 }, (error, _stdout, stderr) => {
      if (error?.killed) reject(new Error(`Jest was not done after ${runSeconds} s`));
      else resolve(stderr);
    });
    return promise;
  }

  return {
    /** Runs tests on the project as it is. */
    runUnchanged: run,

    /** Plants a mistake, runs a test, and takes the mistake back. Throws if its text does not stand there. */
    async runPlanted(edits: Edit[], test: NamedTest) {
      const files = [...new Set(edits.map(({ file }) => file))];
      const sources = files.map((file) => readFileSync(join(folder, file), "utf8"));
      try {
        for (const [index, file] of files.entries()) {
          const own = edits.filter((edit) => edit.file === file);
          writeFileSync(join(folder, file), own.reduce(applyEdit, sources[index] ?? ""));
        }
        return await run([test]);
      } finally {
        for (const [index, file] of files.entries()) writeFileSync(join(folder, file), sources[index] ?? "");
      }
    },

    /** Removes the copy. */
    remove: () => removeFolder(folder),
  };
}

/** The ids of the security catalogue come and go in the names of tests. */
const withoutIds = (name: string) => name.replaceAll(/\b[A-Z]\d\d /g, "");

/** A test's full name as Jest takes it, with any ids in it. */
function patternOf(name: string): string {
  const words = withoutIds(name).split(" ");
  const escaped = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return escaped.map((word) => `(?:[A-Z]\\d\\d )*${word}`).join(" ");
}
