import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { text } from "node:stream/consumers";
import { programsOnly } from "./doors.ts";
import { isConditionFailed, listMembers, refuse, writeAll } from "./transactions.ts";
import { createTurns } from "./turns.ts";

/** A response of the engine, as it stands on the wire. */
export interface Answer {
  status: number;
  body: string;
}

/** Hands a request to the engine: `target` is its header X-Amz-Target, `body` its JSON. */
export type Deliver = (target: string, body: string) => Promise<Answer>;

const api = "DynamoDB_20120810";
const jsonType = "application/x-amz-json-1.0";

/** What dynalite wants of the headers; it looks at nothing else in them, and at no signature. */
const signed = {
  "content-type": jsonType,
  "x-amz-date": "20260101T000000Z",
  authorization:
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
};

/**
 * Puts a door in front of dynalite: what AWS's DynamoDB has and dynalite lacks is added here, so that the service knows one
 * database. A failed condition brings the old item along where it was asked for (`ReturnValuesOnConditionCheckFailure`),
 * and there are transactions. Requests about one item pass one after the other: none comes between the refusal and the look
 * for the old item, or between the members of a transaction.
 */
export function putDoor(server: Server): Deliver {
  const [dynalite] = server.listeners("request");
  const inTurn = createTurns();
  const keyNames = new Map<string, string[]>();
  /** What was asked for under each ClientRequestToken, and whether it was done. */
  const tokens = new Map<string, { contents: string; isDone: boolean }>();
  const running = new Set<Promise<Answer>>();

  /** dynalite sees what it would of an HTTP request, at a fraction of the time. */
  function pass(target: string, body: string): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const request = Object.assign(new EventEmitter(), {
      method: "POST",
      url: "/",
      headers: { ...signed, "x-amz-target": target },
    });
    const response = {
      statusCode: 200,
      setHeader() {},
      end: (sent = "") => resolve({ status: response.statusCode, body: String(sent) }),
    };
    dynalite?.(request, response);
    request.emit("data", Buffer.from(body));
    request.emit("end");
    return promise;
  }

  const ask = (operation: string, parameters: object) =>
    pass(`${api}.${operation}`, JSON.stringify(parameters));

  async function findItem(TableName: string | undefined, Key: Item): Promise<Item | undefined> {
    const { body } = await ask("GetItem", { TableName, Key, ConsistentRead: true });
    return JSON.parse(body).Item;
  }

  async function findKeyNames(TableName: string): Promise<string[]> {
    const known = keyNames.get(TableName);
    if (known) return known;
    const { Table } = JSON.parse((await ask("DescribeTable", { TableName })).body);
    const names = (Table?.KeySchema ?? []).map(
      ({ AttributeName }: { AttributeName: string }) => AttributeName,
    );
    // A table that is not there yet may come.
    if (names.length > 0) keyNames.set(TableName, names);
    return names;
  }

  /** The key of the one item that is meant; undefined if there is none, or no such table. */
  async function findKey({ TableName, Key, Item }: Parameters): Promise<Item | undefined> {
    const attributes = Key ?? Item;
    if (!attributes || !TableName) return undefined;
    const names = await findKeyNames(TableName);
    return names.length > 0 ? Object.fromEntries(names.map((name) => [name, attributes[name]])) : undefined;
  }

  const toId = (TableName: string | undefined, key: Item) => JSON.stringify([TableName, key]);

  /** The items that a BatchWriteItem is about. */
  async function listIds({ RequestItems }: Parameters): Promise<string[]> {
    if (typeof RequestItems !== "object" || RequestItems === null) return [];
    const parts = Object.entries(RequestItems).flatMap(([TableName, requests]) =>
      (Array.isArray(requests) ? requests : []).map((request) => ({
        TableName,
        ...(request?.PutRequest ?? request?.DeleteRequest),
      })),
    );
    const keys = await Promise.all(parts.map(findKey));
    return keys.flatMap((key, index) => (key ? [toId(parts[index].TableName, key)] : []));
  }

  async function addOldItem(answer: Answer, parameters: Parameters, key: Item): Promise<Answer> {
    const isAsked = parameters.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
    if (!isAsked || !isConditionFailed(answer)) return answer;
    const Item = await findItem(parameters.TableName, key);
    return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), Item }) };
  }

  async function transact(parameters: Parameters): Promise<Answer> {
    const members = listMembers(parameters)?.map(([kind, parameters]) => ({ kind, parameters }));
    if (!members) return refuse("ValidationException", "TransactItems must name 1 to 100 writes");
    const keys = await Promise.all(members.map(({ parameters }) => findKey(parameters)));
    const keyed = members.flatMap((member, index) => (keys[index] ? [{ ...member, key: keys[index] }] : []));
    if (keyed.length < members.length)
      return refuse("ResourceNotFoundException", "Requested resource not found");
    const ids = keyed.map(({ parameters, key }) => toId(parameters.TableName, key));
    if (new Set(ids).size < ids.length)
      return refuse(
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
      );
    const { ClientRequestToken: token, ...contents } = parameters;
    return inTurn([...ids, ...(token ? [token] : [])], () =>
      once(token, JSON.stringify(contents), () => writeAll(keyed, { ask, findItem })),
    );
  }

  /** Does what was done under the same token once: DynamoDB knows a token for ten minutes, here it is not forgotten. */
  async function once(token: string | undefined, contents: string, call: () => Promise<Answer>) {
    if (!token) return call();
    const known = tokens.get(token);
    if (known && known.contents !== contents)
      return refuse(
        "IdempotentParameterMismatchException",
        "The request uses the same client token as a previous, but non-identical request",
      );
    if (known?.isDone) return { status: 200, body: "{}" };
    const answer = await call();
    tokens.set(token, { contents, isDone: answer.status === 200 });
    return answer;
  }

  const deliver: Deliver = async (target, body) => {
    const parameters = parse(body);
    if (!parameters) return { status: 400, body: unreadable };
    if (target === `${api}.TransactWriteItems`) {
      const answer = transact(parameters);
      running.add(answer);
      return answer.finally(() => running.delete(answer));
    }
    const key = await findKey(parameters);
    if (key)
      return inTurn([toId(parameters.TableName, key)], async () =>
        addOldItem(await pass(target, body), parameters, key),
      );
    if (target === `${api}.BatchWriteItem`)
      return inTurn(await listIds(parameters), () => pass(target, body));
    // What reads several items sees none that a transaction takes back.
    await Promise.allSettled(running);
    return pass(target, body);
  };

  server.removeAllListeners("request").on("request", async (request, response) => {
    if (!programsOnly(request, response)) return;
    const { status, body } = await deliver(String(request.headers["x-amz-target"]), await text(request));
    response.writeHead(status, { "content-type": jsonType }).end(body);
  });
  return deliver;
}

/** A map of attributes: `{ id: { S: "…" } }`. */
export type Item = Record<string, unknown>;

export interface Parameters {
  TableName?: string;
  Key?: Item;
  Item?: Item;
  ReturnValuesOnConditionCheckFailure?: string;
  RequestItems?: unknown;
  TransactItems?: unknown;
  ClientRequestToken?: string;
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
