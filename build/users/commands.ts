import { randomUUID } from "node:crypto";
import { accessSync, constants, readFileSync } from "node:fs";
import { createDirectory } from "../../lib/accounts/directory.ts";
import { summarizeFactors } from "../../lib/accounts/factor-summary.ts";
import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createInvitations, withdrawInvitations } from "../../lib/accounts/invitations.ts";
import { createOperations } from "../../lib/accounts/operations.ts";
import { createUserStore, type User } from "../../lib/accounts/store.ts";
import { listUsers } from "../../lib/accounts/user-list.ts";
import { createAttemptStore } from "../../lib/attempts/store.ts";
import { createAuditStore } from "../../lib/audit/store.ts";
import { createExportUser } from "../../lib/auth/account/export.ts";
import { createDeleteUser } from "../../lib/auth/admin/delete.ts";
import { createDisableUser } from "../../lib/auth/admin/disable.ts";
import { createEnableUser } from "../../lib/auth/admin/enable.ts";
import { createEndSessions } from "../../lib/auth/admin/end-sessions.ts";
import { createFindUser } from "../../lib/auth/admin/find.ts";
import { createImportUser } from "../../lib/auth/admin/import.ts";
import { createInvite, type Invitation } from "../../lib/auth/admin/invite.ts";
import { createOperatorChange, type Operator } from "../../lib/auth/admin/operator.ts";
import { createRecover } from "../../lib/auth/admin/recover.ts";
import { createRemoveFactor } from "../../lib/auth/admin/remove-factor.ts";
import { createSetRoles } from "../../lib/auth/admin/set-roles.ts";
import { createUnlock } from "../../lib/auth/admin/unlock.ts";
import { summaryNames, toSummary } from "../../lib/auth/session/list.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { ChangeEvent } from "../../lib/events.ts";
import { nameOf } from "../../lib/mail/codes.ts";
import { languages } from "../../lib/mail/language.ts";
import { type ListedMail, listMails } from "../../lib/mail/mail-list.ts";
import { createRecipients } from "../../lib/mail/recipients.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { viewPasskeys } from "../../lib/passkeys/passkey.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { transact } from "../../lib/transaction.ts";
import { createProgress } from "../progress.ts";
import { confirm } from "./confirm.ts";
import { readFirebaseHashing } from "./import/firebase-hashing.ts";
import { runImport } from "./import/run.ts";
import type { AuditName, CommandName, Options } from "./options.ts";
import type { Stage } from "./stage.ts";

/**
 * Does what it is called to a stage, and gives what is told of it: one object, or many one after another. Throws AppError
 * `not_found`, `email_taken`, `invalid_body`, `unavailable`, and Error where it is not to be done.
 */
type Command = (stage: Stage, options: Options) => Promise<object> | AsyncIterable<object>;

/** What each command does. */
export const commands = {
  async invite(stage, { target: email, language, roles }) {
    const sent = await invite(stage, { email, language, roles });
    return { ...sent, mailId: nameOf(sent.mailId) };
  },

  async uninvite(stage, { target: email }) {
    await noteInAudit(stage, "uninvite", "invitations_withdrawn");
    const { dynamodb, tables } = stage;
    const wasInvited = await withdrawInvitations(dynamodb, tables.identitiesTable, email);
    return { uninvited: email, wasInvited };
  },

  async find(stage, { target }) {
    const { findUser, sessions, audit } = openUsers(stage);
    const found = assertFound(await findUser(target));
    const { passwordHash, identityIds = [], recovery: _, passkeys, ...user } = found;
    const stored = await sessions.list(user.userId, summaryNames);
    const { rows } = await audit.list(user.userId, { limit: 10 }).catch(withoutTable({ rows: [] }));
    return {
      ...{ ...user, ...summarizeFactors(found), hasPassword: passwordHash !== undefined },
      ...{ passkeys: viewPasskeys(passkeys), identities: [...identityIds] },
      ...{ sessions: stored.map(toSummary), changes: rows },
    };
  },

  async *list({ dynamodb, tables }, { unverified, disabled, role }) {
    const progress = createProgress();
    let read = 0;
    for await (const user of listUsers(dynamodb, tables.usersTable)) {
      progress.show(`${++read} accounts read`);
      const isAsked =
        "damaged" in user ||
        ((!unverified || user.emailVerifiedAt === undefined) &&
          (!disabled || user.disabledAt !== undefined) &&
          (role === undefined || user.roles?.includes(role)));
      if (isAsked) yield user;
    }
    progress.end();
  },

  async *audit(stage, { target }) {
    const { findUser, audit } = openUsers(stage);
    // The rows of an account that was deleted are there still, under its id.
    const userId = target.includes("@") ? assertFound(await findUser(target)).userId : target;
    let after: string | undefined;
    do {
      const { rows, next } = await audit.list(userId, { limit: 100, after });
      // An imported account has none, nor one that is older than its oldest row.
      if (rows.length === 0 && after === undefined) assertFound(await findUser(userId));
      yield* rows;
      after = next;
    } while (after !== undefined);
  },

  async *mails(stage, { target, failed }) {
    const email =
      target === "" || target.includes("@")
        ? target
        : assertFound(await openUsers(stage).findUser(target)).email;
    const progress = createProgress();
    const found: ListedMail[] = [];
    let read = 0;
    for await (const mail of listMails(stage.dynamodb, stage.tables.mailsTable)) {
      progress.show(`${++read} mails read`);
      if ((email === "" || mail.email === email) && (!failed || mail.is === "failed")) found.push(mail);
    }
    progress.end();
    yield* found.sort((a, b) => b.createdAt - a.createdAt);
  },

  async export(stage, { target }) {
    const { findUser, sessions, identities, audit } = openUsers(stage);
    const user = assertFound(await findUser(target));
    const exportUser = createExportUser({
      ...{ sessions, identities },
      audit: { list: (...query) => audit.list(...query).catch(withoutTable({ rows: [], next: undefined })) },
      sessionsNotBefore: 0,
    });
    return exportUser(user);
  },

  "set-roles": (stage, { target, roles = [] }) =>
    change(stage, target, (opened, { userId }, by) => createSetRoles(opened)(userId, roles, by)),

  async reset(stage, { target, now, yes }) {
    const { findUser, operations, sessions, users } = openUsers(stage);
    const user = assertFound(await findUser(target));
    if (now && !yes) await confirm("Taking the password away", user.email);
    const mails = createMailStore(stage.dynamodb, stage.tables.mailsTable);
    const recover = createRecover({ users, operations, sessions, mails, languages, clock });
    const begun = await recover({ user, now, by: await identify(stage) });
    if (!begun) throw new AppError("not_found");
    const { mailId, validUntil } = begun;
    return {
      ...toChanged(begun.user),
      mailId: nameOf(mailId),
      validUntil,
      oldPassword: user.passwordHash === undefined ? "none" : now ? "over" : "holds",
    };
  },

  unlock: (stage, { target }) =>
    change(stage, target, async ({ operations, sessions }, user, by) => {
      const { dynamodb, tables, openHashKeys } = stage;
      const attempts = createAttemptStore(dynamodb, tables.attemptsTable);
      const keyedHash = createKeyedHash({ hashKeys: await openHashKeys(), clock });
      return createUnlock({ operations, attempts, sessions, keyedHash, clock })(user, by);
    }),

  "end-sessions": (stage, { target }) =>
    change(stage, target, (opened, { userId }, by) => createEndSessions(opened)(userId, by)),

  disable: (stage, { target }) =>
    change(stage, target, (opened, { userId }, by) => createDisableUser(opened)(userId, by)),

  enable: (stage, { target }) =>
    change(stage, target, (opened, { userId }, by) => createEnableUser(opened)(userId, by)),

  "remove-factor": (stage, { target, yes }) =>
    change(stage, target, async (opened, { userId, email, totp }, by) => {
      if (totp && !yes) await confirm("Taking the second factor away", email);
      return createRemoveFactor(opened)(userId, by);
    }),

  async delete(stage, { target, dryRun, yes }) {
    const { findUser, sessions, users, operations } = openUsers(stage);
    const user = assertFound(await findUser(target));
    const { userId, email, identityIds = [], createdAt } = user;
    const opened = await sessions.list(userId, ["userId", "sessionId"]);
    const goes = { userId, email, createdAt, identities: [...identityIds], sessions: opened.length };
    if (dryRun) return { ...goes, deleted: false };
    if (!yes) await confirm("Deleting the account", email);
    const directory = createDirectory(stage.dynamodb, stage.tables);
    const deleteUser = createDeleteUser({ users, operations, directory, sessions, clock });
    const deleted = assertFound(await deleteUser(userId, await identify(stage)));
    return { ...goes, deleted: true, change: deleted.lastChange?.id };
  },

  async *import(stage, { target: path, from, write, skip, rate, firebaseHash }) {
    const { dynamodb, tables } = stage;
    if (from === "firebase" && firebaseHash === undefined)
      throw new Error("Firebase's passwords need --firebase-hash <file>: see docs/import.md.");
    const firebase =
      firebaseHash === undefined ? undefined : readFirebaseHashing(readFileSync(firebaseHash, "utf8"));
    const now = clock();
    accessSync(path, constants.R_OK);
    if (write) await noteInAudit(stage, "import", "users_imported");
    const importUser = createImportUser({ directory: createDirectory(dynamodb, tables) });
    const stopping = new AbortController();
    // npm hands on the Ctrl-C that the command has had already: the second one must not end it.
    process.on("SIGINT", () => {
      if (!stopping.signal.aborted) process.stderr.write("Stopping: what has begun is brought to its end.\n");
      stopping.abort();
    });
    let importable = 0;
    let isEmpty = false;
    for await (const told of runImport({
      ...{ path, firebase, skip, rate, now, from, signal: stopping.signal },
      importUser: write ? importUser : undefined,
    })) {
      if (("line" in told && "refused" in told) || ("goOnWith" in told && told.goOnWith !== null))
        process.exitCode = 1;
      if ("imported" in told) importable = Number(told.imported);
      if ("goOnWith" in told && "records" in told)
        isEmpty = told.records === 0 && told.goOnWith === null && skip === 0;
      yield told;
    }
    if (isEmpty) {
      process.stderr.write(`There is no record in the file. Is it what --from ${from} reads?\n`);
      process.exitCode = 1;
    } else if (!write)
      process.stderr.write(
        importable === 0
          ? "Nothing was written.\n"
          : "Nothing was written, and the tables were not looked at: with --write what is there already is left as it is, and the rest is imported.\n",
      );
  },
} satisfies Record<CommandName, Command>;

/** Rows are kept as long as those of accounts by default (AUDIT_DAYS). */
const auditSeconds = 400 * 86_400;

/** Leaves one row of what changes no single account: of a whole import, too, since a million rows would tell no more. */
async function noteInAudit(stage: Stage, name: AuditName, event: ChangeEvent): Promise<void> {
  const now = clock();
  const change = createOperatorChange(event, await identify(stage), now);
  await openUsers(stage)
    .audit.put(name, change, now + auditSeconds)
    .catch(withoutTable(undefined));
}

/** Invites somebody, and tells of it. */
export async function invite(
  { dynamodb, tables, findOperator }: Pick<Stage, "dynamodb" | "tables" | "findOperator">,
  { email, language, roles }: Pick<Invitation, "email" | "language" | "roles">,
) {
  const send = createInvite({
    recipients: createRecipients(dynamodb, tables),
    mails: createMailStore(dynamodb, tables.mailsTable),
    invitations: createInvitations(tables.identitiesTable),
    write: (items, isDone) => transact(dynamodb, items, { isDone }),
    clock,
  });
  const { mailId, validUntil } = await send({
    email,
    language,
    roles,
    invitedBy: `operator ${await findOperator()}`,
  });
  return { invited: email, ...(roles && { roles }), mailId, validUntil };
}

/** Opens what the use cases need. */
export function openUsers({ dynamodb, tables }: Pick<Stage, "dynamodb" | "tables">) {
  const sessions = createSessionStore(dynamodb, tables.sessionsTable);
  const users = createUserStore(dynamodb, tables.usersTable);
  const operations = createOperations(dynamodb, tables.usersTable);
  const identities = createIdentityStore(dynamodb, tables.identitiesTable);
  const findUser = createFindUser({ identities, users });
  const audit = createAuditStore(dynamodb, tables.auditTable);
  return { clock, findUser, identities, sessions, users, operations, audit };
}

type Opened = ReturnType<typeof openUsers>;

/** Finds a user, and changes it in the operator's name. */
async function change(
  stage: Stage,
  target: string,
  make: (opened: Opened, user: User, by: Operator) => Promise<User | undefined>,
) {
  const opened = openUsers(stage);
  const found = assertFound(await opened.findUser(target));
  return toChanged(assertFound(await make(opened, found, await identify(stage))));
}

const toChanged = ({ userId, email, disabledAt, roles = [], lastChange }: User) => ({
  ...{ userId, email, disabledAt: disabledAt ?? null, roles, change: lastChange?.id },
});

async function identify({ findOperator }: Stage): Promise<Operator> {
  return { by: `operator ${await findOperator()}`, requestId: randomUUID() };
}

function assertFound(user: User | undefined): User {
  if (!user) throw new AppError("not_found");
  return user;
}

/** Stands in for what a stage without mail has no table for. */
const withoutTable =
  <T>(instead: T) =>
  (error: unknown): T => {
    const { cause } = error as AppError;
    if (cause instanceof Error && cause.name === "ResourceNotFoundException") return instead;
    throw error;
  };
