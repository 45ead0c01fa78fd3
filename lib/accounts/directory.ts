import type { Config } from "../config.ts";
import type { DynamoDB } from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { type TransactItem, transact } from "../transaction.ts";
import {
  emailIdentity,
  type IdentityEntry,
  isNamedBy,
  listIdentities,
  parseIdentityEntry,
} from "./identities.ts";
import { createInvitations } from "./invitations.ts";
import { isUnderWay, valuesOfUnderWay } from "./is-disabled.ts";
import { createUserStore, type User } from "./store.ts";

/** Who is who. Every function throws AppError `unavailable` when DynamoDB is. */
export type Directory = ReturnType<typeof createDirectory>;

/**
 * What became of a registration. `taken`: the address is another's, or reserved. `used`: the userId was used before, by
 * this very registration or one with the same mail, and what there is of that user now; or the mail counts no more.
 */
export type Registration = { is: "registered" } | { is: "taken" } | { is: "used"; user: User | undefined };

/** Others can move an entry between our look and our write. */
const maxLooks = 3;

/** Makes what changes who is who: each change is one transaction over a user and the entries of the index. */
export function createDirectory(
  client: DynamoDB,
  { usersTable, identitiesTable }: Config<"usersTable" | "identitiesTable">,
) {
  const users = createUserStore(client, usersTable);
  const invitations = createInvitations(identitiesTable);

  /** The check that an entry does not count: its user is gone, or has another address. */
  function isNobodys(address: string, { userId }: IdentityEntry): TransactItem {
    return {
      ConditionCheck: {
        TableName: usersTable,
        Key: { userId },
        ConditionExpression: "attribute_not_exists(userId) OR email <> :address",
        ExpressionAttributeValues: { ":address": address },
      },
    };
  }

  return {
    /**
     * Stores a new user with the entry of the address; and, where a mail brings the userId, with the use of the mail, which
     * can be used once, and of whatever else it counts by.
     */
    async register(user: User, [use, ...others]: TransactItem[] = []): Promise<Registration> {
      const { userId, email, createdAt } = user;
      const entry: IdentityEntry = { identity: emailIdentity(email), userId, createdAt };
      let stale: IdentityEntry | undefined;
      for (let look = 1; look <= maxLooks; look++) {
        const items: TransactItem[] = [
          { Put: { TableName: usersTable, Item: user, ConditionExpression: "attribute_not_exists(userId)" } },
          {
            Put: {
              TableName: identitiesTable,
              Item: entry,
              ...createCondition(createdAt, stale),
              ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            },
          },
          ...(use ? [use, ...others] : []),
          ...(stale ? [isNobodys(email, stale)] : []),
        ];
        const isDone = async () => {
          const found = await users.find(userId);
          return found !== undefined && found.lastChange?.id === user.lastChange?.id;
        };
        const result = await transact(client, items, { isDone });
        if (result.written) return { is: "registered" };
        const [isThere, verdict, ...more] = result.verdicts;
        const [isUsed, ...uses] = more.slice(0, use ? 1 + others.length : 0);
        if (isThere?.isRefused || isUsed?.isRefused) return { is: "used", user: await users.find(userId) };
        const found = verdict?.isRefused && verdict.item ? parseIdentityEntry(verdict.item) : undefined;
        if (found && (isReserved(found, createdAt) || isNamedBy(found, await users.find(found.userId))))
          return { is: "taken" };
        if (uses.some(({ isRefused }) => isRefused)) return { is: "used", user: undefined };
        stale = found;
      }
      throw new AppError("unavailable");
    },

    /**
     * Deletes a user whose deletion has begun, with the entries that the user names – not one that is another's by now, nor
     * an address that is reserved –, and voids invitations to the address, if it was proven. Not once the deletion counts as
     * broken off; `now` is in epoch seconds.
     */
    async deleteAccount(user: User, now: number): Promise<void> {
      const { userId, sessionEpoch, email, emailVerifiedAt } = user;
      const voided = emailVerifiedAt === undefined ? [] : [invitations.toVoid(email)];
      const isDone = async () => (await users.find(userId)) === undefined;
      // Each turn leaves out what the one before found to be another's.
      for (let named = listIdentities(user); ; ) {
        const deletion: TransactItem = {
          Delete: {
            TableName: usersTable,
            Key: { userId },
            ConditionExpression: `${isUnderWay} AND sessionEpoch = :epoch`,
            ExpressionAttributeValues: { ":epoch": sessionEpoch, ...valuesOfUnderWay(now) },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
        };
        const items = [deletion, ...named.map(toDeletion), ...voided];
        const result = await transact(client, items, { isDone });
        if (result.written) return;
        const [own, ...others] = result.verdicts;
        if (own?.isRefused) {
          if (own.item) throw new AppError("unavailable");
          return;
        }
        named = named.filter((_, index) => !others[index]?.isRefused);
      }

      function toDeletion(identity: string): TransactItem {
        return {
          Delete: {
            TableName: identitiesTable,
            Key: { identity },
            ConditionExpression: "attribute_not_exists(userId) OR userId = :userId",
            ExpressionAttributeValues: { ":userId": userId },
          },
        };
      }
    },
  };
}

/** Answers whether an address is kept for the one who has left it. */
const isReserved = ({ reservedUntil = 0 }: IdentityEntry, now: number): boolean => reservedUntil > now;

/** An entry may be put where there is none, over a reservation that is over, or over the very one that counts no more. */
function createCondition(now: number, stale: IdentityEntry | undefined) {
  if (!stale)
    return {
      ConditionExpression: "attribute_not_exists(userId) OR reservedUntil <= :now",
      ExpressionAttributeValues: { ":now": now },
    };
  return {
    ConditionExpression:
      "userId = :userId AND createdAt = :createdAt AND (attribute_not_exists(reservedUntil) OR reservedUntil <= :now)",
    ExpressionAttributeValues: { ":userId": stale.userId, ":createdAt": stale.createdAt, ":now": now },
  };
}
