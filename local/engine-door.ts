import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { text } from "node:stream/consumers";
import { programsOnly } from "./doors.ts";

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
 * database. A failed condition brings the old item along where it was asked for (`ReturnValuesOnConditionCheckFailure`).
 * Requests about one item pass one after the other: none comes between the refusal and the look for the old item.
 */
export function putDoor(server: Server): Deliver {
  const [dynalite] = server.listeners("request");
  const turns = new Map<string, Promise<unknown>>();
  const keyNames = new Map<string, string[]>();

  /** dynalite sees what it would of an HTTP request, at a fraction of the time. */
  function ask(target: string, body: string): Promise<Answer> {
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

  const askJson = async (operation: string, parameters: object) =>
    JSON.parse((await ask(`${api}.${operation}`, JSON.stringify(parameters))).body);

  async function findKeyNames(TableName: string): Promise<string[]> {
    const { Table } = await askJson("DescribeTable", { TableName });
    return (Table?.KeySchema ?? []).map(({ AttributeName }: { AttributeName: string }) => AttributeName);
  }

  /** The key of the one item that a request is about; undefined if there are several, or none. */
  async function findKey({ TableName, Key, Item }: Parameters): Promise<Item | undefined> {
    if (Key || !Item || !TableName) return Key;
    const names = keyNames.get(TableName) ?? (await findKeyNames(TableName));
    // A table that is not there yet may come.
    if (names.length === 0) return undefined;
    keyNames.set(TableName, names);
    return Object.fromEntries(names.map((name) => [name, Item[name]]));
  }

  async function addOldItem(answer: Answer, parameters: Parameters, Key: Item): Promise<Answer> {
    const isRefused = answer.status === 400 && answer.body.includes("ConditionalCheckFailedException");
    if (!isRefused || parameters.ReturnValuesOnConditionCheckFailure !== "ALL_OLD") return answer;
    const found = await askJson("GetItem", { TableName: parameters.TableName, Key, ConsistentRead: true });
    return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...found }) };
  }

  const deliver: Deliver = async (target, body) => {
    const parameters = parse(body);
    if (!parameters) return { status: 400, body: unreadable };
    const key = await findKey(parameters);
    if (!key) return ask(target, body);
    const id = JSON.stringify([parameters.TableName, key]);
    const answer = (turns.get(id) ?? Promise.resolve()).then(async () =>
      addOldItem(await ask(target, body), parameters, key),
    );
    const turn = answer
      .catch(() => undefined)
      .then(() => {
        if (turns.get(id) === turn) turns.delete(id);
      });
    turns.set(id, turn);
    return answer;
  };

  server.removeAllListeners("request").on("request", async (request, response) => {
    if (!programsOnly(request, response)) return;
    const { status, body } = await deliver(String(request.headers["x-amz-target"]), await text(request));
    response.writeHead(status, { "content-type": jsonType }).end(body);
  });
  return deliver;
}

type Item = Record<string, unknown>;
interface Parameters {
  TableName?: string;
  Key?: Item;
  Item?: Item;
  ReturnValuesOnConditionCheckFailure?: string;
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
