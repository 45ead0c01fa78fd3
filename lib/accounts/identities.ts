import * as v from "valibot";
import { type DynamoDB, getItem, type Item } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";
import type { User } from "./store.ts";

/** An entry of the index as the table holds it. Times are epoch seconds. */
const entryType = {
  name: "identity",
  // The key may be an e-mail address, which no log may hold.
  keyNames: ["userId"],
  schema: v.object({
    identity: v.string(),
    userId: v.string(),
    createdAt: v.number(),
    /** Of an identity at another provider: which one that is, and the address that it had there. */
    provider: v.exactOptional(v.string()),
    email: v.exactOptional(v.string()),
    /** Until then an address that its user has left is kept free; the user does not name it any more. */
    reservedUntil: v.exactOptional(v.number()),
    expiresAt: v.exactOptional(v.number()),
  }),
};

/** An entry of the index: which user an identity belongs to, if that user names it. */
export type IdentityEntry = v.InferOutput<typeof entryType.schema>;

/** Reads an entry as the table holds it. Throws AppError `internal_error` for one that is damaged. */
export const parseIdentityEntry = (item: Item): IdentityEntry => parseItem(entryType, item);

/** The most identities of other providers that one account has. */
export const maxIdentities = 10;

/** The identity of an e-mail address, which is normalised. */
export const emailIdentity = (address: string): string => `${ofEmail}${address}`;
const ofEmail = "email:";

/** The e-mail address that an identity is; undefined for one at another provider. */
export const findAddress = (identity: string): string | undefined =>
  identity.startsWith(ofEmail) ? identity.slice(ofEmail.length) : undefined;

/** The identities that a user names: the entries of no others count. */
export const listIdentities = ({ email, identityIds = new Set<string>() }: User): string[] => [
  emailIdentity(email),
  ...identityIds,
];

/** Answers whether an entry counts: the user that it points to is the one given, who names it. */
export function isNamedBy({ identity, userId }: IdentityEntry, user: User | undefined): boolean {
  return user?.userId === userId && listIdentities(user).includes(identity);
}

/** The table of identities. It throws AppError `unavailable` when DynamoDB is, and `internal_error` for a damaged item. */
export type IdentityStore = ReturnType<typeof createIdentityStore>;

/** Makes the store of the identities table (partition key: identity; TTL on expiresAt). `directory.ts` writes it. */
export function createIdentityStore(client: DynamoDB, tableName: string) {
  return {
    /** Reads an entry, strongly consistent. It counts only if its user names it: `isNamedBy`. */
    async find(identity: string): Promise<IdentityEntry | undefined> {
      const item = await getItem(client, { TableName: tableName, Key: { identity } });
      return item && parseIdentityEntry(item);
    },
  };
}
