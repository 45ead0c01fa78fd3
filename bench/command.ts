import { fork } from "node:child_process";
import { once } from "node:events";
import { findBroken } from "./budgets.ts";
import type { Measured } from "./measure.ts";
import { saveMeasurement } from "./measurement.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { reportFacts, reportTimes } from "./report.ts";

/** What `npm run bench` runs. */
const { check, rounds, save, help } = readOptions();
if (help) console.log(usage);
else await run();

async function run(): Promise<void> {
  const { facts, times } = await measure(check ? 0 : rounds);
  console.log(times ? reportTimes(facts, times) : reportFacts(facts));
  if (times && save) saveMeasurement(facts, times);
  const broken = findBroken(facts);
  console.log(broken.length === 0 ? "\nEvery budget is kept." : `\nBroken budgets:\n${broken.join("\n")}`);
  if (check && broken.length > 0) process.exitCode = 1;
}

async function measure(rounds: number): Promise<Measured> {
  const child = fork(new URL("./measure.ts", import.meta.url), [String(rounds)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const exit = once(child, "exit").then(([code]) => {
    if (code !== 0) throw new Error("The measuring failed, see above.");
  });
  const [[measured]] = await Promise.all([once(child, "message"), exit]);
  return measured;
}

function readOptions(): Options {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
