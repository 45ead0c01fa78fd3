import { matchesPattern, type Pattern } from "./filter-pattern.ts";
import type { StreamRecord } from "./streams.ts";
import type { Resources } from "./tables.ts";
import { type Deliver, streamsApi, tablesApi } from "./wire.ts";

/** An event source of a function, as `stream:` in functions.yml has it. */
export interface StreamEvent {
  arn: { "Fn::GetAtt": [resource: string, attribute: string] };
  batchSize?: number;
  startingPosition?: "LATEST" | "TRIM_HORIZON";
  filterPatterns?: Pattern[];
  functionResponseType?: "ReportBatchItemFailures";
}

/** A table's stream and the function that it feeds. */
export interface Feed {
  functionName: string;
  tableName: string;
  event: StreamEvent;
}

/** Lists the streams that functions are fed by. Throws TypeError if one is of no table of these resources. */
export function listFeeds(
  functions: Record<string, { events?: { stream?: StreamEvent }[] }>,
  resources: Resources,
): Feed[] {
  return Object.entries(functions).flatMap(([functionName, { events = [] }]) =>
    events.flatMap(({ stream: event }) => {
      if (!event) return [];
      const tableName = resources[event.arn?.["Fn::GetAtt"]?.[0]]?.Properties?.TableName;
      if (typeof tableName !== "string")
        throw new TypeError(`${functionName}: the arn of a stream must be !GetAtt <table>.StreamArn`);
      return [{ functionName, tableName, event }];
    }),
  );
}

/** Reads the stream of a table through DynamoDB's Streams API: each call gives what has come since the one before. */
export function createStreamReader(
  deliver: Deliver,
  { tableName, event: { startingPosition = "TRIM_HORIZON" } }: Pick<Feed, "tableName" | "event">,
): () => Promise<StreamRecord[]> {
  const finished = new Set<string>();
  let shard: { id: string; iterator: string } | undefined;

  async function ask(target: string, parameters: object) {
    const { status, body } = await deliver(target, JSON.stringify(parameters));
    if (status !== 200) throw new Error(`${target} for the stream of ${tableName}: ${body}`);
    return JSON.parse(body);
  }

  /** The oldest shard that is not read to its end; where only what is new is wanted, the youngest. */
  async function openShard() {
    const { Table } = await ask(`${tablesApi}.DescribeTable`, { TableName: tableName });
    const StreamArn = Table.LatestStreamArn;
    if (!StreamArn) throw new Error(`The table ${tableName} has no stream`);
    const { StreamDescription } = await ask(`${streamsApi}.DescribeStream`, { StreamArn });
    const ids: string[] = StreamDescription.Shards.map(({ ShardId }: { ShardId: string }) => ShardId);
    const isFirst = finished.size === 0;
    if (isFirst && startingPosition === "LATEST") for (const id of ids.slice(0, -1)) finished.add(id);
    const id = ids.find((id) => !finished.has(id));
    if (!id) return undefined;
    const ShardIteratorType = isFirst ? startingPosition : "TRIM_HORIZON";
    const { ShardIterator } = await ask(`${streamsApi}.GetShardIterator`, {
      StreamArn,
      ShardId: id,
      ShardIteratorType,
    });
    return { id, iterator: ShardIterator };
  }

  return async () => {
    shard ??= await openShard();
    if (!shard) return [];
    const { Records, NextShardIterator } = await ask(`${streamsApi}.GetRecords`, {
      ShardIterator: shard.iterator,
    });
    if (!NextShardIterator) finished.add(shard.id);
    shard = NextShardIterator ? { ...shard, iterator: NextShardIterator } : undefined;
    return Records;
  };
}

/** Hands what is there to a function; answers whether all of it is done. */
export type Consumer = (invoke: (event: { Records: StreamRecord[] }) => Promise<unknown>) => Promise<boolean>;

/**
 * Hands the records of a stream to a function as Lambda does: at least once, in order, in batches, those that match the
 * filters. What the function reports as failed comes again at the next call, with all that follows; so does the whole batch
 * if it throws.
 */
export function createConsumer(
  read: () => Promise<StreamRecord[]>,
  { batchSize = 100, filterPatterns, functionResponseType }: StreamEvent,
): Consumer {
  let waiting: StreamRecord[] = [];
  const isWanted = (record: StreamRecord) =>
    !filterPatterns || filterPatterns.some((pattern) => matchesPattern(pattern, record));

  return async (invoke) => {
    for (;;) {
      if (waiting.length === 0) {
        const records = await read();
        if (records.length === 0) return true;
        waiting = records.filter(isWanted);
      } else {
        const batch = waiting.slice(0, batchSize);
        const result = await invoke({ Records: batch });
        const done = functionResponseType ? countDone(batch, result) : batch.length;
        waiting = waiting.slice(done);
        if (done < batch.length) return false;
      }
    }
  };
}

/** How many records come before the first that failed; none, if the report names one that is not in the batch. */
function countDone(batch: StreamRecord[], result: unknown): number {
  const { batchItemFailures } = (result ?? {}) as {
    batchItemFailures?: { itemIdentifier?: unknown }[] | null;
  };
  const places = (batchItemFailures ?? []).map(({ itemIdentifier }) =>
    batch.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === itemIdentifier),
  );
  return Math.max(0, Math.min(batch.length, ...places));
}
