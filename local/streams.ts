import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../lib/clock.ts";
import { type Answer, done, type Item, type Parameters, refuse } from "./wire.ts";

/** What a table's stream tells of one write; Lambda hands it to functions in this shape. */
export interface StreamRecord {
  eventName: "INSERT" | "MODIFY" | "REMOVE";
  dynamodb: { Keys: Item; OldImage?: Item; NewImage?: Item; SequenceNumber: string };
}

interface Stream {
  StreamSpecification: { StreamEnabled: true; StreamViewType: string };
  LatestStreamArn: string;
  records: StreamRecord[];
}

/**
 * Streams for an engine that has none, and the operations of DynamoDB's Streams API that read them. A stream begins when
 * the engine starts, is one shard that never closes, and forgets nothing.
 */
export function createStreams() {
  const streams = new Map<string, Stream>();

  const operations: Record<string, (parameters: Parameters) => object | undefined> = {
    DescribeStream({ StreamArn }) {
      const [found] = [...streams].filter(([, { LatestStreamArn }]) => LatestStreamArn === StreamArn);
      return found && { StreamDescription: { StreamArn, Shards: [{ ShardId: found[0] }] } };
    },
    GetShardIterator({ ShardId = "", ShardIteratorType }) {
      const stream = streams.get(ShardId);
      const position = ShardIteratorType === "LATEST" ? stream?.records.length : 0;
      return stream && { ShardIterator: JSON.stringify([ShardId, position]) };
    },
    GetRecords({ ShardIterator = "[]", Limit = 1_000 }) {
      const [name, position] = JSON.parse(ShardIterator);
      const Records = streams.get(name)?.records.slice(position, position + Limit);
      return Records && { Records, NextShardIterator: JSON.stringify([name, position + Records.length]) };
    },
  };

  return {
    /** What DescribeTable says of a table's stream; nothing if there is none. */
    describe(tableName: string): Partial<Stream> {
      const { records, ...description } = streams.get(tableName) ?? {};
      return description;
    },

    isOpen: (tableName: string): boolean => streams.has(tableName),

    open(tableName: string, viewType: string): void {
      streams.set(tableName, {
        StreamSpecification: { StreamEnabled: true, StreamViewType: viewType },
        LatestStreamArn: `arn:aws:dynamodb:local:000000000000:table/${tableName}/stream/embedded`,
        records: [],
      });
    },

    /** Notes what a write made of an item; nothing, if it is the same. */
    note(tableName: string, Keys: Item, old: Item | undefined, made: Item | undefined): void {
      const stream = streams.get(tableName);
      if (!stream || isDeepStrictEqual(old, made)) return;
      const { StreamViewType } = stream.StreamSpecification;
      const SequenceNumber = String(stream.records.length + 1);
      const [isOldTold, isNewTold] = [StreamViewType.includes("OLD"), StreamViewType.startsWith("NEW")];
      stream.records.push({
        ...{ eventID: SequenceNumber, eventVersion: "1.1", eventSource: "aws:dynamodb", awsRegion: "local" },
        eventName: old ? (made ? "MODIFY" : "REMOVE") : "INSERT",
        dynamodb: {
          ...{ ApproximateCreationDateTime: systemClock(), Keys, SequenceNumber, StreamViewType },
          ...(isOldTold && old && { OldImage: old }),
          ...(isNewTold && made && { NewImage: made }),
        },
      });
    },

    answer(operation: string, parameters: Parameters): Answer {
      if (!Object.hasOwn(operations, operation)) return refuse("UnknownOperationException");
      const found = operations[operation]?.(parameters);
      return found
        ? done(found)
        : refuse("ResourceNotFoundException", { message: "Requested resource not found" });
    },
  };
}
