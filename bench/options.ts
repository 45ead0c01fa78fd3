import { parseArgs } from "node:util";

/** How `npm run bench` is used. */
export const usage = `Usage: npm run bench [-- <option>]

  (nothing)       measures everything, some minutes on an idle machine, and prints one table
  --check         checks sizes, requests and loaded modules against their budgets; measures no time
  --rounds <n>    rounds of cold starts, 1 to 100 (15)
  --save          keeps what the cost calculator needs in bench/measured.json
  --help          this text
`;

/** A command line of `npm run bench`. */
export interface Options {
  check: boolean;
  rounds: number;
  save: boolean;
  help: boolean;
}

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      check: { type: "boolean", default: false },
      rounds: { type: "string" },
      save: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { check, rounds = "15", save, help } = values;
  if (!/^\d{1,3}$/.test(rounds) || Number(rounds) < 1 || Number(rounds) > 100)
    throw new TypeError("--rounds must be a whole number from 1 to 100.");
  if (check && (save || values.rounds !== undefined))
    throw new TypeError("--check measures no time: leave --rounds and --save out.");
  return { check, rounds: Number(rounds), save, help };
}
