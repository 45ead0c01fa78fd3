import { randomUUID } from "node:crypto";
import { summarizeFactors } from "../../lib/accounts/factor-summary.ts";
import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createInvitations } from "../../lib/accounts/invitations.ts";
import { createOperations } from "../../lib/accounts/operations.ts";
import { createUserStore, type User } from "../../lib/accounts/store.ts";
import { createAccess, type Operator } from "../../lib/auth/admin/access.ts";
import { createInvite } from "../../lib/auth/admin/invite.ts";
import { summaryNames, toSummary } from "../../lib/auth/session/list.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import { createRecipients } from "../../lib/mail/recipients.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { transact } from "../../lib/transaction.ts";
import type { CommandName, Options } from "./options.ts";
import type { Stage } from "./stage.ts";

/** Does what it is called to a stage, and gives what is told of it. Throws AppError `not_found`, `email_taken`, `unavailable`. */
type Command = (stage: Stage, options: Pick<Options, "target" | "language">) => Promise<object>;

/** What each command does. */
export const commands: Record<CommandName, Command> = {
  async invite({ dynamodb, tables, findOperator }, { target: email, language }) {
    const invite = createInvite({
      recipients: createRecipients(dynamodb, tables),
      mails: createMailStore(dynamodb, tables.mailsTable),
      invitations: createInvitations(tables.identitiesTable),
      write: (items, isDone) => transact(dynamodb, items, { isDone }),
      clock,
    });
    const { mailId, validUntil } = await invite({ email, language, invitedBy: await findOperator() });
    return { invited: email, mailId, validUntil: toDate(validUntil) };
  },

  async find(stage, { target }) {
    const { access, sessions } = open(stage);
    const found = assertFound(await access.find(target));
    const { passwordHash, identityIds = [], recovery: _, ...user } = { ...found, ...summarizeFactors(found) };
    const stored = await sessions.list(user.userId, summaryNames);
    const identities = [...identityIds];
    return { ...user, hasPassword: passwordHash !== undefined, identities, sessions: stored.map(toSummary) };
  },

  "end-sessions": (stage, { target }) => change(stage, target, "endSessions"),
  disable: (stage, { target }) => change(stage, target, "disable"),
  enable: (stage, { target }) => change(stage, target, "enable"),
  "remove-factor": (stage, { target }) => change(stage, target, "removeFactor"),
};

function open({ dynamodb, tables }: Stage) {
  const sessions = createSessionStore(dynamodb, tables.sessionsTable);
  const access = createAccess({
    identities: createIdentityStore(dynamodb, tables.identitiesTable),
    users: createUserStore(dynamodb, tables.usersTable),
    operations: createOperations(dynamodb, tables.usersTable),
    ...{ sessions, clock },
  });
  return { access, sessions };
}

async function change(
  stage: Stage,
  target: string,
  what: "endSessions" | "disable" | "enable" | "removeFactor",
) {
  const { access } = open(stage);
  const { userId } = assertFound(await access.find(target));
  const operator: Operator = { name: await stage.findOperator(), requestId: randomUUID() };
  const { email, disabledAt, lastChange } = assertFound(await access[what](userId, operator));
  return { userId, email, disabledAt: disabledAt ? toDate(disabledAt) : null, change: lastChange?.id };
}

function assertFound(user: User | undefined): User {
  if (!user) throw new AppError("not_found");
  return user;
}

const toDate = (seconds: number) => new Date(seconds * 1_000).toISOString();
