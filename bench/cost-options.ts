import { parseArgs } from "node:util";
import type { Load } from "./cost.ts";

/** What is assumed where the command line says nothing. */
export const defaultLoad: Load = {
  users: 1e6,
  loginsPerDay: 0.2,
  refreshesPerDay: 10,
  protectedPerDay: 50,
  registrationsPerDay: 1_000,
  peak: 5,
  dynamodbMs: 5,
  coldShare: 0.01,
};

/** How `npm run cost` is used. */
export const usage = `Usage: npm run cost [-- <options>]

  --users <n>                  (1e6)
  --logins-per-day <n>         of one user (0.2)
  --refreshes-per-day <n>      of one user (10)
  --protected-per-day <n>      of one user (50)
  --registrations-per-day <n>  of all (1000)
  --peak <n>                   the busiest second, in average ones (5)
  --dynamodb-ms <n>            one answer of DynamoDB (5)
  --cold-share <n>             calls that meet a fresh sandbox, 0 to 1 (0.01)
  --write                      puts the tables of the defaults into docs/scale.md
  --help                       this text
`;

/** What makes sense, from and to. */
const ranges: Record<keyof Load, [min: number, max: number]> = {
  users: [1, 1e10],
  loginsPerDay: [0, 86_400],
  refreshesPerDay: [0, 86_400],
  protectedPerDay: [0, 86_400],
  registrationsPerDay: [0, 1e10],
  peak: [1, 1_000],
  dynamodbMs: [0, 10_000],
  coldShare: [0, 1],
};
const names = Object.keys(ranges) as (keyof Load)[];
const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A command line of `npm run cost`. */
export interface Options {
  load: Load;
  write: boolean;
  help: boolean;
}

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const numbers = Object.fromEntries(names.map((name) => [flagOf(name), { type: "string" }] as const));
  const { values } = parseArgs({
    args,
    options: {
      ...numbers,
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const load = { ...defaultLoad };
  for (const name of names) {
    const text = (values as Record<string, unknown>)[flagOf(name)];
    if (typeof text === "string") load[name] = parseNumber(flagOf(name), text, ranges[name]);
  }
  const { write, help } = values as { write: boolean; help: boolean };
  if (write && args.length > 1) throw new TypeError("--write goes alone: the document shows the defaults.");
  return { load, write, help };
}

function parseNumber(flag: string, text: string, [min, max]: [number, number]): number {
  if (!/^\d+(\.\d+)?(e\d{1,2})?$/.test(text))
    throw new TypeError(`--${flag} must be a number such as 3, 0.5 or 10e6.`);
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new TypeError(`--${flag} must be from ${min} to ${max.toLocaleString("en-US")}.`);
}
