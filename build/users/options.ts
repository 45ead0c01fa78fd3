import { parseArgs } from "node:util";
import * as v from "valibot";
import { emailBody } from "../../lib/http/schemas.ts";
import { type Language, languages } from "../../lib/mail/language.ts";
import { assertStage, stageOptions } from "../command-line.ts";

/** How `npm run users` is used. */
export const usage = `Usage: npm run users -- <command> [options]

  invite <email>   mail a link that opens an account, good for seven days; it works where nobody else may register, too

  --stage <stage>         a deployed stage, with your AWS credentials; without this: the running npm start
  --region <region>       of the stage; as for sls deploy
  --language <language>   of the mail: ${languages.join(" (the default), ")}
  --help                  this text

What was done is one JSON object on standard output. The exit code is 0 if it was done, 1 if not, 2 if the command line is wrong.
`;

/** A command line of `npm run users`. */
export interface Options {
  command: "invite";
  /** Normalised. */
  email: string;
  language: Language;
  /** Without one: `npm start`. */
  stage?: string;
  region: string;
}

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...stageOptions,
      language: { type: "string", default: languages[0] },
    },
  });
  const [command, address, ...more] = positionals;
  if (command !== "invite")
    throw new TypeError(command === undefined ? "Name a command." : `"${command}" is no command.`);
  if (address === undefined || more.length > 0) throw new TypeError("Name one e-mail address.");
  const parsed = v.safeParse(emailBody, { email: address });
  if (!parsed.success) throw new TypeError(`"${address}" ${parsed.issues[0].message}.`);
  const language = languages.find((each) => each === values.language);
  if (!language) throw new TypeError(`--language must be one of ${languages.join(", ")}.`);
  const { stage, region } = values;
  assertStage(stage);
  return { command, email: parsed.output.email, language, region, ...(stage !== undefined && { stage }) };
}
