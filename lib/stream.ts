import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBBatchResponse, DynamoDBRecord, StreamRecord as Images } from "aws-lambda";
import type { Item } from "./dynamodb.ts";
import { logFailure } from "./log.ts";

/** What a table's stream tells of one write to an item. */
export interface StreamRecord {
  eventName?: DynamoDBRecord["eventName"];
  dynamodb: Images;
}

/** What Lambda calls with a batch of records; what it reports as failed comes again, with all that follows. */
export type StreamHandler = (event: { Records: StreamRecord[] }) => Promise<DynamoDBBatchResponse>;

/** The item as the write left it; empty where there is no image of it. */
export function readNewImage({ dynamodb: { NewImage = {} } }: StreamRecord): Item {
  return unmarshall(NewImage as Record<string, AttributeValue>);
}

/**
 * Makes the handler of a function that a table's stream feeds. Items are worked on side by side, the records of one item in
 * their order: where one fails, those after it wait until it comes again. `what` is what the log calls a failure.
 */
export function createStreamHandler(
  what: string,
  handle: (record: StreamRecord) => Promise<void>,
): StreamHandler {
  return async function handler({ Records }) {
    const items = Object.values(
      Object.groupBy(Records, ({ dynamodb: { Keys = {} } }) => JSON.stringify(Object.entries(Keys).sort())),
    );
    const failed = await Promise.all(items.map((records = []) => findFailed(records)));
    return {
      batchItemFailures: failed.flatMap((record) =>
        record ? [{ itemIdentifier: record.dynamodb.SequenceNumber ?? "" }] : [],
      ),
    };
  };

  async function findFailed(records: StreamRecord[]): Promise<StreamRecord | undefined> {
    for (const record of records) {
      try {
        await handle(record);
      } catch (error) {
        logFailure(what, error);
        return record;
      }
    }
    return undefined;
  }
}
