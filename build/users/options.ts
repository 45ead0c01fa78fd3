import { parseArgs } from "node:util";
import * as v from "valibot";
import { isEmail, normalizeEmail } from "../../lib/accounts/email.ts";
import { isRole, roleRule } from "../../lib/accounts/role-pattern.ts";
import { isUserId } from "../../lib/accounts/user-id.ts";
import { emailBody } from "../../lib/http/schemas.ts";
import { type Language, languages } from "../../lib/mail/language.ts";
import { assertStage, findCommand, stageOptions } from "../command-line.ts";
import { type SystemName, systems } from "./import/systems.ts";

/** What a command takes beside the stage. */
interface CommandLine {
  /** Whom it names: an address that mail can be sent to, one user, one user or none, nobody. */
  target: "address" | "user" | "anybody" | "nobody" | "file";
  options?: readonly OptionName[];
}

const optionTypes = {
  language: { type: "string" },
  roles: { type: "string" },
  role: { type: "string" },
  unverified: { type: "boolean" },
  disabled: { type: "boolean" },
  failed: { type: "boolean" },
  now: { type: "boolean" },
  "dry-run": { type: "boolean" },
  yes: { type: "boolean" },
  from: { type: "string" },
  write: { type: "boolean" },
  skip: { type: "string" },
  rate: { type: "string" },
  "firebase-hash": { type: "string" },
} as const;

type OptionName = keyof typeof optionTypes;

const commandLines = {
  find: { target: "user" },
  list: { target: "nobody", options: ["unverified", "disabled", "role"] },
  audit: { target: "user" },
  mails: { target: "anybody", options: ["failed"] },
  export: { target: "user" },
  invite: { target: "address", options: ["language", "roles"] },
  uninvite: { target: "address" },
  "set-roles": { target: "user", options: ["roles"] },
  unlock: { target: "user" },
  reset: { target: "user", options: ["now", "yes"] },
  "end-sessions": { target: "user" },
  disable: { target: "user" },
  enable: { target: "user" },
  "remove-factor": { target: "user", options: ["yes"] },
  delete: { target: "user", options: ["dry-run", "yes"] },
  import: { target: "file", options: ["from", "write", "skip", "rate", "firebase-hash"] },
} satisfies Record<string, CommandLine>;

/** A command of `npm run users`. */
export type CommandName = keyof typeof commandLines;

const commandNames = Object.keys(commandLines) as CommandName[];

/** How `npm run users` is used. */
export const usage = `Usage: npm run users -- <command> [<user>] [options]

To look:
  find <user>           what is stored of an account, with its sessions and last changes, without the hash of its password
  list                  all accounts; --unverified, --disabled, --role <role>: those alone
  audit <user>          every change of an account, the newest first; by its user id also after it was deleted
                        audit import, audit uninvite: who has done these, and when
  mails [<user>]        the mails of the last seven days and what became of them, the newest first; --failed: those that were not sent
  export <user>         everything stored of an account, as its owner gets it

To change:
  invite <email>        mail a link that opens an account, good for seven days; it works where nobody else may register, too
                        --language <language>: of the mail, ${languages.join(" (the default) or ")}; --roles <a,b>: of the account
  uninvite <email>      let no link open an account that was mailed to this address before; who has used one has an account: delete
  set-roles <user>      --roles <a,b>: give these roles and no others, or none of any with --roles none; end all sessions
  reset <user>          mail a link with which the user sets a new password, good for a day; the old one holds until then
                        --now: the old one is over at once, and all sessions
  unlock <user>         forget failed logins, and mails that were asked for: the next attempt need not wait,
                        or for 5 s at most where somebody has just been refused
  end-sessions <user>   end all sessions; access tokens live on for at most 15 minutes
  disable <user>        the same, and let nobody in any more
  enable <user>         let the user in again; a deletion of the account that has begun is off
  remove-factor <user>  take the second factor away, and end all sessions: for whoever has lost phone and recovery codes
  delete <user>         delete the account and its sessions; --dry-run: only say what would go
  import <file>         accounts of another system, with their passwords (docs/import.md); without --write it only says what it
                        would do. --from <system>: ${Object.keys(systems).join(", ")}
                        --rate <n>: accounts a second, 500 by default; --skip <n>: lines that an earlier run has done
                        --firebase-hash <file>: the parameters of its hashes, as its console shows them

A user is an e-mail address or a user id. What cannot be undone (reset --now, remove-factor, delete) asks for the address once more, or
takes --yes.

  --stage <stage>    a deployed stage, with your AWS credentials; without this: the running npm start
  --region <region>  of the stage; as for sls deploy
  --help             this text

The answer is one JSON object on standard output, of list, audit, mails and import one a line; in a terminal the one is spread over
several lines (npm adds its own lines without -s). The exit code is 0 if it was done, 1 if not (of import also if a line was refused), 2 if the command line is wrong. Each change stands in the audit trail with your name.
`;

/** A command line of `npm run users`. */
export interface Options {
  command: CommandName;
  /** A normalised e-mail address or, but for `invite` and `uninvite`, a user id; empty where nobody is named. Of `import` a file. */
  target: string;
  language: Language;
  /** Undefined: nothing is said of them. */
  roles?: string[];
  role?: string;
  unverified: boolean;
  disabled: boolean;
  failed: boolean;
  now: boolean;
  dryRun: boolean;
  yes: boolean;
  /** `import`: where the file is from, and how it is done. */
  from: SystemName;
  write: boolean;
  skip: number;
  rate: number;
  firebaseHash?: string;
  /** Without one: `npm start`. */
  stage?: string;
  region: string;
}

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...stageOptions, ...optionTypes },
  });
  const [named, ...users] = positionals;
  const command = findCommand(commandNames, named);
  const { target, options = [] }: CommandLine = commandLines[command];
  for (const name of Object.keys(optionTypes) as OptionName[])
    if (values[name] !== undefined && !options.includes(name))
      throw new TypeError(`--${name} belongs to ${findOwners(name).join(", ")}.`);
  const language = languages.find((each) => each === (values.language ?? languages[0]));
  if (!language) throw new TypeError(`--language must be one of ${languages.join(", ")}.`);
  if (command === "set-roles" && values.roles === undefined)
    throw new TypeError("Name the roles: --roles <a,b>, or --roles none.");
  const {
    stage,
    region,
    roles,
    role,
    unverified = false,
    disabled = false,
    failed = false,
    now = false,
  } = values;
  assertStage(stage);
  const from = (Object.keys(systems) as SystemName[]).find((name) => name === (values.from ?? "canonical"));
  if (!from) throw new TypeError(`--from must be one of ${Object.keys(systems).join(", ")}.`);
  return {
    ...{ command, language, region, unverified, disabled, failed, now, target: parseTarget(target, users) },
    ...{ dryRun: values["dry-run"] ?? false, yes: values.yes ?? false },
    ...{ from, write: values.write ?? false, skip: parseCount("skip", values.skip ?? "0", 0) },
    rate: parseCount("rate", values.rate ?? "500", 1),
    ...(values["firebase-hash"] !== undefined && { firebaseHash: values["firebase-hash"] }),
    ...(stage !== undefined && { stage }),
    ...(roles !== undefined && { roles: parseRoles(roles) }),
    ...(role !== undefined && { role }),
  };
}

const findOwners = (name: OptionName): CommandName[] =>
  commandNames.filter((command) => (commandLines[command] as CommandLine).options?.includes(name));

function parseTarget(target: CommandLine["target"], [user, ...more]: string[]): string {
  if (target === "file") {
    if (user === undefined || more.length > 0) throw new TypeError("Name one file.");
    return user;
  }
  if (target === "nobody" && user !== undefined) throw new TypeError("This command names no user.");
  if (more.length > 0 || (user === undefined && (target === "user" || target === "address")))
    throw new TypeError(`Name one ${target === "address" ? "e-mail address" : "user"}.`);
  if (user === undefined) return "";
  return target === "address" ? parseAddress(user) : parseUser(user);
}

function parseCount(name: string, text: string, least: number): number {
  const count = Number(text);
  if (!/^\d{1,12}$/.test(text) || count < least)
    throw new TypeError(`--${name} must be a whole number of ${least} or more.`);
  return count;
}

function parseRoles(text: string): string[] {
  if (text === "none") return [];
  const roles = text.split(",").map((part) => part.trim());
  const wrong = roles.find((each) => !isRole(each));
  if (wrong !== undefined) throw new TypeError(`--roles: "${wrong}" is no role: ${roleRule}.`);
  return [...new Set(roles)];
}

/** What changes no single account; `audit` knows it by these names. */
const auditNames = ["import", "uninvite"] as const;
export type AuditName = (typeof auditNames)[number];

/** An address that mail can be sent to. */
function parseAddress(text: string): string {
  const parsed = v.safeParse(emailBody, { email: text });
  if (!parsed.success) throw new TypeError(`"${text}" ${parsed.issues[0].message}.`);
  return parsed.output.email;
}

function parseUser(text: string): string {
  if (isUserId(text) || auditNames.some((name) => name === text)) return text;
  const email = normalizeEmail(text);
  if (isEmail(email)) return email;
  throw new TypeError(`"${text}" is neither an e-mail address nor a user id.`);
}
