import * as v from "valibot";
import { createIdentityStore, emailIdentity } from "../accounts/identities.ts";
import { isDisabled } from "../accounts/is-disabled.ts";
import type { Config } from "../config.ts";
import { type DynamoDB, getItem } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";

/** What may be known of an account where mails are sent: nothing that opens it. */
const ownerType = {
  name: "user",
  keyNames: ["userId"],
  schema: v.object({
    userId: v.string(),
    email: v.string(),
    disabledAt: v.exactOptional(v.number()),
    deletingAt: v.exactOptional(v.number()),
  }),
};
const attributes = Object.keys(ownerType.schema.entries);

/** Who has an address: an account that is open, or one that is closed; or nobody, though the address may be reserved. */
export type Recipient = { userId: string; isOpen: boolean } | undefined;

/** Finds who has an address. */
export type Recipients = ReturnType<typeof createRecipients>;

/** Makes what finds who has an address: both reads are strongly consistent, and read no more than that. */
export function createRecipients(
  client: DynamoDB,
  { identitiesTable, usersTable }: Config<"identitiesTable" | "usersTable">,
) {
  const identities = createIdentityStore(client, identitiesTable);

  return {
    /** Throws AppError `unavailable`, `internal_error` for an item that is damaged. */
    async find(email: string, now: number): Promise<{ owner: Recipient; isReserved: boolean }> {
      const entry = await identities.find(emailIdentity(email));
      if (!entry) return { owner: undefined, isReserved: false };
      const address = { TableName: usersTable, Key: { userId: entry.userId } };
      const item = await getItem(client, address, attributes);
      const user = item && parseItem(ownerType, item);
      const isReserved = (entry.reservedUntil ?? 0) > now;
      // An entry counts only if its user names it.
      if (user?.email !== email) return { owner: undefined, isReserved };
      return { owner: { userId: user.userId, isOpen: !isDisabled(user, now) }, isReserved };
    },
  };
}
