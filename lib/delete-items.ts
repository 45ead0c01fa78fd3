import { setTimeout } from "node:timers/promises";
import { BatchWriteCommand, type BatchWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, type Item, unavailable } from "./dynamodb.ts";

type WriteRequests = NonNullable<BatchWriteCommandInput["RequestItems"]>[string];

/** DynamoDB's limit. */
const batchSize = 25;
const parallelBatches = 8;
const batchAttempts = 5;

/**
 * Deletes many items of a table by their keys, in batches. Throws AppError `unavailable`, also when some are left after
 * all repeats.
 */
export async function deleteItems(client: DynamoDB, tableName: string, keys: Item[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(keys.length / batchSize) }, (_, index) =>
    keys.slice(index * batchSize, (index + 1) * batchSize),
  );
  const runners = Array.from({ length: parallelBatches }, async () => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) await deleteBatch(batch);
  });
  await Promise.all(runners);

  async function deleteBatch(batch: Item[]): Promise<void> {
    let requests: WriteRequests = batch.map((Key) => ({ DeleteRequest: { Key } }));
    for (let attempt = 1; requests.length > 0; attempt++) {
      if (attempt > batchAttempts)
        return unavailable(new Error("DynamoDB left items of a batch unprocessed"));
      if (attempt > 1) await setTimeout(2 ** attempt * 25);
      const { UnprocessedItems } = await client
        .send(new BatchWriteCommand({ RequestItems: { [tableName]: requests } }))
        .catch(unavailable);
      requests = UnprocessedItems?.[tableName] ?? [];
    }
  }
}
