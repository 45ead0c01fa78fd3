/** Reads the command line of a command: `--help` prints how it is used; what is wrong is said, with exit code 2. */
export function readOptions<Options>(parse: (args: string[]) => Options, usage: string): Options {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parse(args);
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`, 2);
  }
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

/** Throws TypeError for what cannot be the name of a stage. */
export function assertStage(stage: string | undefined): void {
  if (stage !== undefined && !/^[a-z][a-z0-9-]{0,30}$/.test(stage))
    throw new TypeError("--stage must be the name of a stage.");
}
