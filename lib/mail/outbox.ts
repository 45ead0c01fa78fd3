import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, findRefusingItem, isConditionFailure, unavailable } from "../dynamodb.ts";
import type { TransactItem } from "../transaction.ts";
import { kinds } from "./kinds.ts";
import type { NewMail } from "./mail.ts";

const daySeconds = 86_400;

/** Makes what puts mails into their table: all that functions need which only tell. */
export function createOutbox(client: DynamoDB, tableName: string) {
  function createPut({ validUntil, ...mail }: NewMail) {
    const goodUntil = validUntil ?? mail.createdAt + kinds[mail.kind];
    const expiresAt = Math.max(mail.createdAt + 7 * daySeconds, goodUntil + daySeconds);
    const Item = { ...mail, validUntil: goodUntil, expiresAt };
    return { TableName: tableName, Item, ConditionExpression: "attribute_not_exists(id)" };
  }

  return {
    /**
     * Puts a mail that is to be sent. The SDK's retry of our own put meets its own id, and so does a second notice of one
     * change; false if the id is that of another change's notice.
     */
    async put(mail: NewMail): Promise<boolean> {
      try {
        await client.send(
          new PutCommand({ ...createPut(mail), ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailure(error)) return unavailable(error);
        return findRefusingItem(error)?.changeId === mail.changeId;
      }
    },

    /** The part of a transaction that puts a mail which is to be sent. */
    toPut: (mail: NewMail): TransactItem => ({ Put: createPut(mail) }),
  };
}
