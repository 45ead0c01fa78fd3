import { invite } from "../../build/users/commands.ts";
import { nameOf } from "./database.ts";
import type { Service } from "./service.ts";

/** Makes what invites somebody as `npm run users -- invite` does, without a process of its own; it gives the id of the mail. */
export function createInvite({ database }: Pick<Service, "database">) {
  const stage = {
    dynamodb: database.documents,
    tables: {
      usersTable: nameOf("users"),
      identitiesTable: nameOf("identities"),
      sessionsTable: nameOf("sessions"),
      attemptsTable: nameOf("attempts"),
      mailsTable: nameOf("mails"),
      auditTable: nameOf("audit"),
    },
    findOperator: async () => "an operator",
  };
  return async (email: string, roles?: string[]): Promise<string> => {
    const { mailId } = await invite(stage, { email, language: "en", ...(roles && { roles }) });
    return mailId;
  };
}
