import { AppError } from "../../lib/errors.ts";
import { fail, readOptions } from "../command-line.ts";
import { commands } from "./commands.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { openStage, type Stage } from "./stage.ts";

const options = readOptions(parseOptions, usage);
const stage = openStage(options);
try {
  console.log(toAscii(JSON.stringify(await commands[options.command](stage, options))));
} catch (error) {
  fail(explain(stage, error, options));
}

/** What users have chosen must not be taken for a command by a terminal. */
function toAscii(json: string): string {
  return json.replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Says in one line what went wrong, and what to do. */
function explain({ name, tables }: Stage, error: unknown, { command, target }: Options): string {
  if (error instanceof AppError && error.code === "email_taken")
    return `${target} has an account already, or is kept for the account that has left it; nobody was invited.`;
  if (error instanceof AppError && error.code === "not_found") return `${name}: there is no user ${target}.`;
  const cause = (error instanceof AppError ? error.cause : error) as NodeJS.ErrnoException | undefined;
  if (cause?.code === "ECONNREFUSED")
    return `${name} is not running. Next: npm start, in another terminal; where it has another DYNAMODB_PORT, name that here, too.`;
  if (cause?.name === "ResourceNotFoundException")
    return command === "invite"
      ? `${name} has no table ${tables.mailsTable}, or others: it is not deployed, or has no mail (MAIL_FROM).`
      : `${name} has no table ${tables.usersTable}, or others: it is not deployed.`;
  return `${name}: ${cause?.name}: ${cause?.message || cause?.code}`;
}
