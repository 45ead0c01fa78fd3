import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, unavailable } from "../dynamodb.ts";
import type { TransactItem } from "../transaction.ts";

/** A day longer than an invitation is good. */
const keptSeconds = 8 * 86_400;

/** Parts of transactions about who is invited. */
export type Invitations = ReturnType<typeof createInvitations>;

/**
 * Makes what remembers, in the table of identities, since when invitations to an address count: an account that is deleted
 * takes those with it that are still open.
 */
export function createInvitations(identitiesTable: string) {
  const addressOf = (email: string) => entryOf(identitiesTable, email);

  return {
    /** Lets invitations to an address count from now on; those that do already go on doing so. Times are epoch seconds. */
    toOpen: (email: string, now: number): TransactItem => ({
      Update: {
        ...addressOf(email),
        UpdateExpression: "SET openSince = if_not_exists(openSince, :now), expiresAt = :later",
        ExpressionAttributeValues: { ":now": now, ":later": now + keptSeconds },
      },
    }),

    /** Uses up what lets invitations count, on condition that it does so for one of this time. */
    toAccept: (email: string, createdAt: number): TransactItem => ({
      Delete: {
        ...addressOf(email),
        ConditionExpression: "openSince <= :createdAt",
        ExpressionAttributeValues: { ":createdAt": createdAt },
      },
    }),

    /** Lets no invitation to an address count that was sent before. */
    toVoid: (email: string): TransactItem => ({ Delete: addressOf(email) }),
  };
}

/** Lets no invitation to an address count that was sent before; answers whether any could. Throws AppError `unavailable`. */
export async function withdrawInvitations(
  client: DynamoDB,
  identitiesTable: string,
  email: string,
): Promise<boolean> {
  const withdrawal = new DeleteCommand({ ...entryOf(identitiesTable, email), ReturnValues: "ALL_OLD" });
  return (await client.send(withdrawal).catch(unavailable)).Attributes !== undefined;
}

const entryOf = (TableName: string, email: string) => ({ TableName, Key: { identity: `invited:${email}` } });
