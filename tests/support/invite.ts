import { commands } from "../../build/users/commands.ts";
import { nameOf } from "./database.ts";
import type { Service } from "./service.ts";

/** Makes what invites somebody as `npm run users -- invite` does, without a process of its own; it gives the id of the mail. */
export function createInvite({ database }: Pick<Service, "database">) {
  const stage = {
    name: "the stage of the test",
    dynamodb: database.documents,
    tables: {
      usersTable: nameOf("users"),
      identitiesTable: nameOf("identities"),
      sessionsTable: nameOf("sessions"),
      mailsTable: nameOf("mails"),
    },
    findOperator: async () => "an operator",
  };
  return async (email: string): Promise<string> => {
    const { mailId } = (await commands.invite(stage, { target: email, language: "en" })) as {
      mailId: string;
    };
    return mailId;
  };
}
