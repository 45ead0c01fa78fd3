import type { Config } from "../config.ts";
import type { DynamoDB, Item } from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { type TransactItem, transact, type Verdict } from "../transaction.ts";
import type { Change } from "./change.ts";
import {
  emailIdentity,
  findAddress,
  type IdentityEntry,
  isNamedBy,
  listIdentities,
  maxIdentities,
  parseIdentityEntry,
} from "./identities.ts";
import { createInvitations } from "./invitations.ts";
import { isUnderWay, valuesOfUnderWay } from "./is-disabled.ts";
import { type Caller, createUserStore, isCallers, parseUser, type User, valuesOfCaller } from "./store.ts";

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

  /** Puts an entry where there is none, or over one that counts no more. */
  const put = (entry: IdentityEntry, stale: StaleEntries): TransactItem => ({
    Put: {
      TableName: identitiesTable,
      Item: entry,
      ...createCondition(entry.createdAt, stale.get(entry.identity)),
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  });

  /**
   * The checks that entries do not count: their users are gone, or do not name them. One for each user: no item stands twice in
   * a transaction.
   */
  function areNobodys(stale: StaleEntries): TransactItem[] {
    const byUser = Object.entries(Object.groupBy(stale.values(), ({ userId }) => userId));
    return byUser.map(([userId, entries = []]) => {
      const others = entries.map(({ identity }, index) => {
        const address = findAddress(identity);
        const [condition, value] =
          address === undefined
            ? [`NOT contains(identityIds, :i${index})`, identity]
            : [`email <> :i${index}`, address];
        return { condition, value: [`:i${index}`, value] };
      });
      return {
        ConditionCheck: {
          TableName: usersTable,
          Key: { userId },
          // A bracket stands first in a condition: one of our engines reads it wrongly elsewhere.
          ConditionExpression: `(${others.map(({ condition }) => condition).join(" AND ")}) OR attribute_not_exists(userId)`,
          ExpressionAttributeValues: Object.fromEntries(others.map(({ value }) => value)),
        },
      };
    });
  }

  /** Of the entries that stood in the way, those that count no more go into `stale`; false if one of them counts. */
  async function learnStale(verdicts: Verdict[], stale: StaleEntries, now: number): Promise<boolean> {
    const found = verdicts.flatMap((verdict) =>
      verdict.isRefused && verdict.item ? [parseIdentityEntry(verdict.item)] : [],
    );
    // What has been learnt before may be so no more.
    if (found.length === 0) stale.clear();
    for (const entry of found) {
      if (isReserved(entry, now) || isNamedBy(entry, await users.find(entry.userId))) return false;
      stale.set(entry.identity, entry);
    }
    return true;
  }

  return {
    /**
     * Stores a new user with the entries of the address and of other identities, which are given whole; and, where a mail brings the userId, with the use of the mail, which
     * can be used once, and of whatever else it counts by.
     */
    async register(
      user: User,
      [use, ...others]: TransactItem[] = [],
      external: IdentityEntry[] = [],
    ): Promise<Registration> {
      const { userId, email, createdAt } = user;
      const entries: IdentityEntry[] = [{ identity: emailIdentity(email), userId, createdAt }, ...external];
      const stale: StaleEntries = new Map();
      for (let look = 1; look <= maxLooks; look++) {
        const items: TransactItem[] = [
          { Put: { TableName: usersTable, Item: user, ConditionExpression: "attribute_not_exists(userId)" } },
          ...entries.map((entry) => put(entry, stale)),
          ...(use ? [use, ...others] : []),
          ...areNobodys(stale),
        ];
        const isDone = async () => {
          const found = await users.find(userId);
          return found !== undefined && found.lastChange?.id === user.lastChange?.id;
        };
        const result = await transact(client, items, { isDone });
        if (result.written) return { is: "registered" };
        const [isThere, ...rest] = result.verdicts;
        const more = rest.splice(entries.length);
        const [isUsed, ...uses] = more.slice(0, use ? 1 + others.length : 0);
        if (isThere?.isRefused || isUsed?.isRefused) return { is: "used", user: await users.find(userId) };
        if (!(await learnStale(rest, stale, createdAt))) return { is: "taken" };
        if (uses.some(({ isRefused }) => isRefused)) return { is: "used", user: undefined };
      }
      throw new AppError("unavailable");
    },

    /**
     * Has one more identity open the account of a user, if that is as it was read, with `condition`, and has fewer than ten.
     * `taken`: it is another's. `overtaken`: the user is not so any more, and is given as it is.
     */
    async link(
      user: Caller & { identityIds?: ReadonlySet<string> },
      entry: IdentityEntry,
      { change, condition, values = {} }: { change: Change; condition: string; values?: Item },
    ): Promise<{ is: "linked" | "taken" } | { is: "overtaken"; user: User | undefined }> {
      const { userId } = user;
      const update: TransactItem = {
        Update: {
          TableName: usersTable,
          Key: { userId },
          UpdateExpression: "SET lastChange = :change ADD identityIds :ids",
          ConditionExpression: `(attribute_not_exists(identityIds) OR size(identityIds) < :max) AND ${isCallers} AND ${condition}`,
          ExpressionAttributeValues: {
            ...{ ":change": change, ":ids": new Set([entry.identity]), ":max": maxIdentities },
            ...{ ...valuesOfCaller(user, change.at), ...values },
          },
        },
      };
      const stale: StaleEntries = new Map();
      for (let look = 1; look <= maxLooks; look++) {
        // What an entry of the user's own says is decided by the update.
        const others = new Map([...stale].filter(([, each]) => each.userId !== userId));
        const items = [update, put(entry, stale), ...areNobodys(others)];
        const isDone = async () => (await users.find(userId))?.lastChange?.id === change.id;
        const result = await transact(client, items, { isDone });
        if (result.written) return { is: "linked" };
        const [own, ofEntry] = result.verdicts;
        if (own?.isRefused) return { is: "overtaken", user: await users.find(userId) };
        if (!(await learnStale(ofEntry ? [ofEntry] : [], stale, change.at))) return { is: "taken" };
      }
      throw new AppError("unavailable");
    },

    /**
     * Deletes a user whose deletion has begun, with the entries that the user names – not one that is another's by now, nor
     * an address that is reserved –, and voids invitations to the address, if it was proven. Not where its epoch was raised
     * meanwhile: then the user is given as it is. Nor once the deletion counts as broken off: that is `unavailable`. `now` is in
     * epoch seconds.
     */
    async deleteAccount(user: User, now: number): Promise<User | undefined> {
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
        if (result.written) return undefined;
        const [own, ...others] = result.verdicts;
        if (own?.isRefused) {
          const latest = own.item && parseUser(own.item);
          if (latest?.sessionEpoch === sessionEpoch) throw new AppError("unavailable");
          return latest;
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

/** Entries that counted no more when they were looked at, by their identities. */
type StaleEntries = Map<string, IdentityEntry>;

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
