import { AppError } from "../../lib/errors.ts";
import { fail, readOptions, toLine } from "../command-line.ts";
import { commands } from "./commands.ts";
import { type CommandName, type Options, parseOptions, usage } from "./options.ts";
import { openStage, type Stage } from "./stage.ts";

/** What is only there with mail. */
const mailTableOf: Partial<Record<CommandName, keyof Stage["tables"]>> = {
  invite: "mailsTable",
  reset: "mailsTable",
  mails: "mailsTable",
  audit: "auditTable",
};

const options = readOptions(parseOptions, usage);
const stage = openStage(options);
// Whoever reads no further (head) has what was asked for.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
try {
  const told: Promise<object> | AsyncIterable<object> = commands[options.command](stage, options);
  if (Symbol.asyncIterator in told) for await (const each of told) await print(each);
  else await print(await told, process.stdout.isTTY ? 2 : 0);
} catch (error) {
  fail(explain(stage, error, options));
}

/** A pipe that is full is waited for: a million lines are never held at once. */
async function print(told: object, indent = 0): Promise<void> {
  const line = `${toLine(told, withDate, indent)}\n`;
  if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}

/** Times are epoch seconds in the tables, and dates for people. */
function withDate(name: string, value: unknown): unknown {
  const isTime = typeof value === "number" && /^at$|(At|Until)$/.test(name);
  return isTime ? new Date(value * 1_000).toISOString() : value;
}

/** Says in one line what went wrong, and what to do. */
function explain({ name, tables }: Stage, error: unknown, { command, target }: Options): string {
  if (error instanceof AppError && error.code === "email_taken")
    return `${target} has an account already, or is kept for the account that has left it; nobody was invited.`;
  if (error instanceof AppError && error.code === "not_found")
    return command === "audit"
      ? `${name}: there is no user ${target}, and no change of one.`
      : `${name}: there is no user ${target}.`;
  if (error instanceof AppError && error.detail !== undefined && error.cause === undefined)
    return `${name}: ${error.detail}`;
  const cause = (error instanceof AppError ? error.cause : error) as NodeJS.ErrnoException | undefined;
  if (cause?.code === "ECONNREFUSED")
    return `${name} is not running. Next: npm start, in another terminal; where it has another DYNAMODB_PORT, name that here, too.`;
  if (cause?.name === "ResourceNotFoundException") {
    const needed = mailTableOf[command];
    return needed
      ? `${name} has no table ${tables[needed]}, or others: it is not deployed, or has no mail (MAIL_FROM).`
      : `${name} has no table ${tables.usersTable}, or others: it is not deployed.`;
  }
  if (cause?.constructor === Error) return cause.message;
  return `${name}: ${cause?.name}: ${cause?.message || cause?.code}`;
}
