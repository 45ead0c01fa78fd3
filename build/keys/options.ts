import { parseArgs } from "node:util";
import { type Algorithm, algorithmNames } from "../../lib/tokens/keys.ts";

/** How `npm run keys` is used. */
export const usage = `Usage: npm run keys -- <command> [options]

  status     what keys there are, and what to do next
  rotate     add the key that is to sign next
  promote    let the next key sign, from eleven minutes later on; it must be published
  retire     take replaced keys away, once no live token of theirs is left

  --stage <stage>      the key set of a deployed stage; without this: of npm start
  --region <region>    of the stage; as for sls deploy
  --alg <algorithm>    rotate: EdDSA (Ed25519, the default), ES256 or RS256
  --emergency          rotate: a new key at once and no old one, because a private key may have leaked
  --help               this text
`;

/** A command line of `npm run keys`. */
export interface Options {
  command: (typeof commands)[number];
  /** Without one: the key set of `npm start`. */
  stage?: string;
  region: string;
  alg: Algorithm;
  emergency: boolean;
}

const commands = ["status", "rotate", "promote", "retire"] as const;

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stage: { type: "string" },
      region: { type: "string", default: defaultRegion() },
      alg: { type: "string", default: "EdDSA" },
      emergency: { type: "boolean", default: false },
    },
  });
  const [named, ...others] = positionals;
  const command = commands.find((name) => name === named);
  const alg = algorithmNames.find((name) => name === values.alg);
  if (named === undefined || others.length > 0)
    throw new TypeError(`Name one command: ${commands.join(", ")}.`);
  if (!command) throw new TypeError(`"${named}" is no command. The commands: ${commands.join(", ")}.`);
  if (!alg) throw new TypeError(`--alg must be one of ${algorithmNames.join(", ")}.`);
  if (values.stage !== undefined && !/^[a-z][a-z0-9-]{0,30}$/.test(values.stage))
    throw new TypeError("--stage must be the name of a stage.");
  if (values.emergency && command !== "rotate") throw new TypeError("--emergency belongs to rotate.");
  return { ...values, command, alg };
}

/** As in serverless.yml. */
export function defaultRegion(): string {
  return process.env.AWS_REGION || "us-east-1";
}
