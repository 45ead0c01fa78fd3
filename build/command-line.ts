/** Reads the command line of a command: `--help` prints how it is used; what is wrong is said in one line, with exit code 2. */
export function readOptions<Options>(parse: (args: string[]) => Options, usage: string): Options {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parse(args);
  } catch (error) {
    const [, command = ""] = /^Usage: (npm run \w+)/.exec(usage) ?? [];
    // Node goes on with what else the text could have meant
    const [message] = (error as Error).message.split(". To specify a positional argument");
    return fail(`${message}\nHelp: ${command} -- --help`, 2);
  }
}

/** Finds the command with a name. Throws TypeError that names the nearest one, or all. */
export function findCommand<Name extends string>(names: readonly Name[], named: string | undefined): Name {
  const command = names.find((name) => name === named);
  if (command) return command;
  if (named === undefined) throw new TypeError(`Name a command: ${names.join(", ")}.`);
  const [nearest] = names
    .map((name) => ({ name, distance: countEdits(name, named) }))
    .filter(({ distance, name }) => distance <= 2 && distance < name.length / 2)
    .toSorted((a, b) => a.distance - b.distance);
  throw new TypeError(
    `"${named}" is no command. ${nearest ? `Did you mean ${nearest.name}?` : `The commands: ${names.join(", ")}.`}`,
  );
}

/** How many signs are to be put in, left out or changed to make one text of the other. */
function countEdits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, sign] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++)
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (sign === other[j] ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * One object as JSON, in ASCII: what others have written must not be taken for a command by a terminal. It is one line, unless
 * `indent` has more for people.
 */
export function toLine(
  told: object,
  replacer?: (name: string, value: unknown) => unknown,
  indent?: number,
): string {
  return JSON.stringify(told, replacer, indent).replace(
    /[^\n -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Ends with a message and no stack: what went wrong is for the person at the terminal to mend. */
export function fail(text: string, exitCode = 1): never {
  console.error(text);
  process.exit(exitCode);
}

/** The options that name a deployed stage. */
export const stageOptions = {
  stage: { type: "string" },
  /** As in serverless.yml. */
  region: { type: "string", default: process.env.AWS_REGION || "us-east-1" },
} as const;

/** The options that name the same stage to another command; empty for `npm start`. */
export function repeatStage({ stage, region }: { stage?: string; region: string }): string {
  if (stage === undefined) return "";
  return ` --stage ${stage}${region === stageOptions.region.default ? "" : ` --region ${region}`}`;
}

/** Throws TypeError for what cannot be the name of a stage. */
export function assertStage(stage: string | undefined): void {
  if (stage !== undefined && !/^[a-z][a-z0-9-]{0,30}$/.test(stage))
    throw new TypeError("--stage must be the name of a stage.");
}
