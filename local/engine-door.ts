import { createItems, type Place, toId } from "./items.ts";
import { createStreams } from "./streams.ts";
import { createTransact } from "./transactions.ts";
import { createTurns } from "./turns.ts";
import {
  type Answer,
  type Deliver,
  done,
  isConditionFailed,
  type Parameters,
  streamsApi,
  tablesApi,
} from "./wire.ts";

/**
 * Puts a door in front of dynalite: what AWS's DynamoDB has and dynalite lacks is added here, so that the service knows one
 * database. There are transactions and streams, and a failed condition brings the old item along where it was asked for
 * (`ReturnValuesOnConditionCheckFailure`). Requests about one item pass one after the other: none comes between the refusal
 * and the look for the old item, between the members of a transaction, or between a write and its record in the stream.
 */
export function putDoor(dynalite: Deliver): Deliver {
  const ask = (operation: string, parameters: object) =>
    dynalite(`${tablesApi}.${operation}`, JSON.stringify(parameters));
  const inTurn = createTurns();
  const items = createItems(ask);
  const streams = createStreams();
  const transact = createTransact(ask, items, write);
  const transactions = new Set<Promise<Answer>>();

  const operations: Record<string, (parameters: Parameters) => Promise<Answer>> = {
    CreateTable: (parameters) => openStream("CreateTable", parameters),
    UpdateTable: (parameters) => openStream("UpdateTable", parameters),
    DescribeTable: (parameters) => describe(parameters),
    GetItem: async (parameters) => {
      const place = await items.locate(parameters);
      return inTurn(place ? [toId(place)] : [], () => ask("GetItem", parameters));
    },
    PutItem: (parameters) => writeOne("PutItem", parameters),
    UpdateItem: (parameters) => writeOne("UpdateItem", parameters),
    DeleteItem: (parameters) => writeOne("DeleteItem", parameters),
    BatchWriteItem: async (parameters) =>
      write(await items.locateAll(parameters), () => ask("BatchWriteItem", parameters)),
    TransactWriteItems: (parameters) => {
      const answer = transact(parameters);
      transactions.add(answer);
      return answer.finally(() => transactions.delete(answer));
    },
  };

  return async (target, body) => {
    const parameters = parse(body);
    if (!parameters) return { status: 400, body: unreadable };
    const [api, operation = ""] = target.split(".");
    if (api === streamsApi) return streams.answer(operation, parameters);
    if (api === tablesApi && Object.hasOwn(operations, operation))
      return operations[operation]?.(parameters) as Promise<Answer>;
    // What reads several items sees nothing that a transaction takes back.
    await Promise.allSettled(transactions);
    return dynalite(target, body);
  };

  /** Writes in the turns of items, and tells the streams what became of them. */
  function write(places: Place[], call: () => Promise<Answer>, ids: string[] = []): Promise<Answer> {
    return inTurn([...places.map(toId), ...ids], async () => {
      const watched = places.filter(({ tableName }) => streams.isOpen(tableName));
      const old = await Promise.all(watched.map(items.find));
      const answer = await call();
      const made = await Promise.all(watched.map(items.find));
      for (const [index, { tableName, key }] of watched.entries())
        streams.note(tableName, key, old[index], made[index]);
      return answer;
    });
  }

  async function writeOne(operation: string, parameters: Parameters): Promise<Answer> {
    const place = await items.locate(parameters);
    if (!place) return ask(operation, parameters);
    return write([place], async () => {
      const answer = await ask(operation, parameters);
      const isAsked = parameters.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
      if (!isAsked || !isConditionFailed(answer)) return answer;
      const Item = await items.find(place);
      return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), Item }) };
    });
  }

  /** dynalite makes and changes the table without the stream that is asked for. */
  async function openStream(operation: string, { StreamSpecification: stream, ...others }: Parameters) {
    const { TableName = "", ...changes } = others;
    const isStreamAlone = operation === "UpdateTable" && Object.keys(changes).length === 0;
    const answer = isStreamAlone ? await describe(others) : await ask(operation, others);
    if (answer.status === 200 && stream?.StreamEnabled)
      streams.open(TableName, stream.StreamViewType ?? "KEYS_ONLY");
    return answer;
  }

  async function describe(parameters: Parameters): Promise<Answer> {
    const answer = await ask("DescribeTable", parameters);
    const { Table } = JSON.parse(answer.body);
    return Table ? done({ Table: { ...Table, ...streams.describe(Table.TableName) } }) : answer;
  }
}

/** DynamoDB's answer to a body that is no JSON object; `null` would end dynalite. */
const unreadable = JSON.stringify({ __type: "com.amazon.coral.service#SerializationException" });

function parse(body: string): Parameters | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
