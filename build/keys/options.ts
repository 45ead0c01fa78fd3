import { parseArgs } from "node:util";
import { type Algorithm, algorithmNames } from "../../lib/tokens/keys.ts";
import { assertStage, findCommand, stageOptions } from "../command-line.ts";
import { type KeySetName, keySets } from "./sets.ts";

/** How `npm run keys` is used. */
export const usage = `Usage: npm run keys -- <command> [options]

  status     what keys there are, and what to do next
  rotate     add the next key
  promote    make the next key active, from eleven minutes later on; a signing key must be published
  retire     take replaced keys away, once they have nothing left to verify

  --set <set>          signing (the default; status: all sets), hash, code or factor
  --stage <stage>      the keys of a deployed stage; without this: of npm start
  --region <region>    of the stage; as for sls deploy
  --alg <algorithm>    rotate, signing keys: EdDSA (Ed25519, the default), ES256 or RS256
  --emergency          rotate: a new key at once and no old one, because a key may have leaked
  --help               this text
`;

/** A command line of `npm run keys`. */
export interface Options {
  command: (typeof commands)[number];
  /** The sets that it is for. */
  sets: KeySetName[];
  /** Without one: the keys of `npm start`. */
  stage?: string;
  region: string;
  /** Without one: the default of the set. */
  alg?: Algorithm;
  emergency: boolean;
}

const commands = ["status", "rotate", "promote", "retire"] as const;

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...stageOptions,
      set: { type: "string" },
      alg: { type: "string" },
      emergency: { type: "boolean", default: false },
    },
  });
  const [named, ...more] = positionals;
  if (more.length > 0) throw new TypeError(`Name one command: ${commands.join(", ")}.`);
  const command = findCommand(commands, named);
  const { set, alg: algName, ...others } = values;
  const setNames = Object.keys(keySets) as KeySetName[];
  const sets = setNames.filter((name) => name === (set ?? (command === "status" ? name : "signing")));
  const alg = algorithmNames.find((name) => name === algName);
  if (sets.length === 0) throw new TypeError(`--set must be one of ${setNames.join(", ")}.`);
  if (algName !== undefined && !alg)
    throw new TypeError(`--alg must be one of ${algorithmNames.join(", ")}.`);
  if (alg && !(command === "rotate" && sets.includes("signing")))
    throw new TypeError("--alg belongs to rotate, and to signing keys.");
  assertStage(values.stage);
  if (values.emergency && command !== "rotate") throw new TypeError("--emergency belongs to rotate.");
  return { ...others, command, sets, ...(alg && { alg }) };
}
