import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, findFailedItem, type Item, isConditionFailure, unavailable } from "../dynamodb.ts";
import { AppError } from "../errors.ts";

/** An account as the table holds it. Times are epoch seconds. */
export interface User {
  email: string;
  userId: string;
  /** argon2id, PHC string format. */
  passwordHash: string;
  /** Raised whenever all sessions of the user are ended. */
  sessionEpoch: number;
  /** The epoch whose sessions have all been deleted. */
  sweptEpoch: number;
  createdAt: number;
}

/** The users table. Every function throws AppError `unavailable` when DynamoDB is. */
export type UserStore = ReturnType<typeof createUserStore>;

/** Makes the store of the users table (partition key: the normalised e-mail address). */
export function createUserStore({ client, returnsItemOnFailure }: DynamoDB, tableName: string) {
  async function findItem(email: string): Promise<Item | undefined> {
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key: { email }, ConsistentRead: true }))
      .catch(unavailable);
    return Item;
  }

  return {
    /** Reads a user, strongly consistent. */
    async find(email: string): Promise<User | undefined> {
      const item = await findItem(email);
      return item && parseUser(item);
    },

    /** Stores a new user; false if the address is taken. The SDK's retry of our own put is known by the userId. */
    async create(user: User): Promise<boolean> {
      try {
        await client.send(
          new PutCommand({
            TableName: tableName,
            Item: user,
            ConditionExpression: "attribute_not_exists(email)",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailure(error)) return unavailable(error);
        const existing =
          findFailedItem(error) ?? (returnsItemOnFailure ? undefined : await findItem(user.email));
        return existing?.userId === user.userId;
      }
    },

    /** Replaces a password hash, if it is still the one just verified; false if it is not. */
    async replacePasswordHash(email: string, { from, to }: { from: string; to: string }): Promise<boolean> {
      try {
        await client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { email },
            UpdateExpression: "SET passwordHash = :to",
            ConditionExpression: "passwordHash = :from",
            ExpressionAttributeValues: { ":from": from, ":to": to },
          }),
        );
        return true;
      } catch (error) {
        return isConditionFailure(error) ? false : unavailable(error);
      }
    },
  };
}

function parseUser(item: Item): User {
  const { email, userId, passwordHash, sessionEpoch, sweptEpoch, createdAt } = item;
  const isSound =
    typeof email === "string" &&
    typeof userId === "string" &&
    typeof passwordHash === "string" &&
    typeof sessionEpoch === "number" &&
    typeof sweptEpoch === "number" &&
    typeof createdAt === "number";
  if (!isSound) throw new AppError("unavailable", { cause: new TypeError("a user item has a wrong shape") });
  return { email, userId, passwordHash, sessionEpoch, sweptEpoch, createdAt };
}
