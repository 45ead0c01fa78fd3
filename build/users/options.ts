import { parseArgs } from "node:util";
import * as v from "valibot";
import { isEmail, normalizeEmail } from "../../lib/accounts/email.ts";
import { emailBody } from "../../lib/http/schemas.ts";
import { type Language, languages } from "../../lib/mail/language.ts";
import { assertStage, stageOptions } from "../command-line.ts";

/** How `npm run users` is used. */
export const usage = `Usage: npm run users -- <command> <user> [options]

  invite <email>        mail a link that opens an account, good for seven days; it works where nobody else may register, too
  find <user>           what is stored of an account, but for its password's hash
  end-sessions <user>   end all sessions; access tokens live on for at most 15 minutes
  disable <user>        the same, and let nobody in any more
  enable <user>         let the user in again; a deletion of the account that has begun is off
  remove-factor <user>  take the second factor away, and end all sessions: for whoever has lost phone and recovery codes

A user is an e-mail address or a user id.

  --stage <stage>         a deployed stage, with your AWS credentials; without this: the running npm start
  --region <region>       of the stage; as for sls deploy
  --language <language>   invite: of the mail, ${languages.join(" (the default) or ")}
  --help                  this text

What was done is one JSON object on standard output (npm adds its own lines without -s). The exit code is 0 if it was done, 1 if not, 2 if the command line is wrong.
`;

const commandNames = ["invite", "find", "end-sessions", "disable", "enable", "remove-factor"] as const;

/** A command of `npm run users`. */
export type CommandName = (typeof commandNames)[number];

/** A command line of `npm run users`. */
export interface Options {
  command: CommandName;
  /** A normalised e-mail address or, but for `invite`, a user id. */
  target: string;
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
    options: { ...stageOptions, language: { type: "string" } },
  });
  const [named, user, ...more] = positionals;
  const command = commandNames.find((name) => name === named);
  if (named === undefined) throw new TypeError(`Name a command: ${commandNames.join(", ")}.`);
  if (!command) throw new TypeError(`"${named}" is no command. The commands: ${commandNames.join(", ")}.`);
  if (user === undefined || more.length > 0)
    throw new TypeError(`Name one ${command === "invite" ? "e-mail address" : "user"}.`);
  const target = command === "invite" ? parseAddress(user) : parseUser(user);
  const language = languages.find((each) => each === (values.language ?? languages[0]));
  if (!language) throw new TypeError(`--language must be one of ${languages.join(", ")}.`);
  if (values.language !== undefined && command !== "invite")
    throw new TypeError("--language belongs to invite.");
  const { stage, region } = values;
  assertStage(stage);
  return { command, target, language, region, ...(stage !== undefined && { stage }) };
}

/** An address that mail can be sent to. */
function parseAddress(text: string): string {
  const parsed = v.safeParse(emailBody, { email: text });
  if (!parsed.success) throw new TypeError(`"${text}" ${parsed.issues[0].message}.`);
  return parsed.output.email;
}

function parseUser(text: string): string {
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)) return text;
  const email = normalizeEmail(text);
  if (isEmail(email)) return email;
  throw new TypeError(`"${text}" is neither an e-mail address nor a user id.`);
}
