import { createReadStream, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { User } from "../../../lib/accounts/store.ts";
import { type ImportOutcome, type ImportPlan, planImport } from "../../../lib/auth/admin/import.ts";
import { AppError } from "../../../lib/errors.ts";
import { createProgress } from "../../progress.ts";
import { type FirebaseHashing, type System, type SystemName, systems } from "./systems.ts";

interface RunOptions {
  path: string;
  from: SystemName;
  firebase: FirebaseHashing | undefined;
  /** Lines that an earlier run has done. */
  skip: number;
  /** Accounts a second, at most. */
  rate: number;
  /** Undefined: nothing is written. */
  importUser: ((user: User) => Promise<ImportOutcome>) | undefined;
  /** Ends the run after what has begun. */
  signal: AbortSignal;
  /** Epoch seconds. */
  now: number;
}

/** What an import has done, or would do. */
export interface ImportSummary {
  dryRun: boolean;
  records: number;
  imported: number;
  /** Accounts that were there, or others with their addresses; they were left as they are. */
  there: number;
  refused: number;
  /** Of those that were imported: their password must be reset. */
  withoutPassword: number;
  /** Where to go on; null: all is done. */
  goOnWith: string | null;
}

/** So many transactions are under way at once. */
const parallel = 64;
const attempts = 6;
/** What passes by itself: a table that grows into its load, or two writes that meet. */
const passing =
  /^(TransactionCanceled|TransactionConflict|Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded|Timeout|InternalServer)/;

/**
 * Imports a file, record by record: tells of each that is refused, loses its password or finds its address taken, and at the end
 * what was done. Memory does not grow with the file. What broke off is done again from the line that it names; nothing is ever
 * written twice.
 */
export async function* runImport(options: RunOptions): AsyncGenerator<object> {
  const { path, from, firebase, skip, rate, importUser, signal, now } = options;
  const system: System = systems[from];
  const progress = createProgress();
  const { size } = statSync(path);
  let bytes = 0;
  const file = createReadStream(path, { encoding: "utf8" });
  file.on("data", (chunk) => {
    bytes += Buffer.byteLength(chunk);
  });
  const done: Omit<ImportSummary, "dryRun" | "goOnWith"> = {
    records: 0,
    imported: 0,
    there: 0,
    refused: 0,
    withoutPassword: 0,
  };
  /** The lines of records under way, the first of which is where a run would go on. */
  const underWay = new Map<number, Promise<void>>();
  const told: object[] = [];
  const startedAt = performance.now();
  let failure: unknown;
  let stoppedAt: number | undefined;

  for await (const { line, value, isEnd } of system.read(file)) {
    if (line <= skip) continue;
    if (signal.aborted || failure !== undefined) {
      stoppedAt = line;
      break;
    }
    done.records++;
    const plan: ImportPlan = value
      ? planImport(system.convert(value, firebase), { system: from, now })
      : { refused: isEnd ? "cannot be read, and so nothing after it was: mend it" : "cannot be read" };
    if (isEnd) stoppedAt = line;
    if ("refused" in plan) refuse(line, plan.refused);
    else await begin(line, plan);
    yield* told.splice(0);
    progress.show(`${done.records} records`, size === 0 ? 1 : bytes / size);
  }
  file.destroy();
  const [first] = underWay.keys();
  await Promise.all(underWay.values());
  progress.end();
  yield* told.splice(0);
  const broken = failure === undefined ? stoppedAt : first;
  const goOnWith = broken === undefined ? null : `--skip ${broken - 1}`;
  yield { dryRun: importUser === undefined, ...done, goOnWith } satisfies ImportSummary;
  if (failure !== undefined) throw failure;

  function refuse(line: number, reason: string): void {
    done.refused++;
    told.push({ line, refused: reason });
  }

  async function begin(line: number, { user, isPasswordLeft }: Exclude<ImportPlan, { refused: string }>) {
    if (isPasswordLeft)
      told.push({ line, withoutPassword: "its hash is of a kind, or of a cost, that is not taken" });
    const count = (outcome: ImportOutcome): void => {
      done[outcome === "taken" ? "there" : outcome]++;
      if (outcome === "taken")
        told.push({ line, there: "its address is another account's, or kept for one that has left it" });
      if (outcome === "imported" && user.passwordHash === undefined) done.withoutPassword++;
    };
    if (!importUser) return count("imported");
    if (underWay.size >= parallel) await Promise.race(underWay.values());
    const early = startedAt + (done.records / rate) * 1_000 - performance.now();
    if (early > 0) await setTimeout(early);
    const work = write(importUser, user).then(
      (outcome) => {
        count(outcome);
        underWay.delete(line);
      },
      (error: unknown) => {
        if (error instanceof AppError && error.code === "email_taken") {
          refuse(line, "id: its user id belongs to another address");
          underWay.delete(line);
        } else failure ??= error;
      },
    );
    underWay.set(line, work);
  }
}

async function write(importUser: (user: User) => Promise<ImportOutcome>, user: User): Promise<ImportOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await importUser(user);
    } catch (error) {
      const cause = error instanceof AppError && error.cause;
      if (!(cause instanceof Error && passing.test(cause.name)) || attempt === attempts) throw error;
      await setTimeout(2 ** attempt * 250 * Math.random());
    }
  }
}
