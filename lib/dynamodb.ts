import { type AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Config } from "./config.ts";
import { maxRepeats, pauseWithJitter } from "./conflict-pause.ts";
import { createRehearsingAgent, rehearseWrite } from "./dynamodb-rehearsal.ts";
import { AppError } from "./errors.ts";
import { currentSignal } from "./time-limit.ts";

/** The document client of a sandbox. */
export type DynamoDB = DynamoDBDocumentClient;

/** An item as the document client gives it: not trusted to have any shape. */
export type Item = Record<string, unknown>;

/** Which item of which table. */
interface ItemAddress {
  TableName: string;
  Key: Item;
}

/** The parts of a conditional update. */
export interface UpdateExpression {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues: Item;
}

/** What a conditional write did: the item after it, or the one that refused it (absent if there is none). */
export type WriteResult = { written: true; item: Item } | { written: false; item: Item | undefined };

/**
 * Makes the one client of a sandbox: 3 attempts, keep-alive, a time limit for connecting and one for each response.
 * Whatever a function has begun ends with its time: after the early 503 no attempt of any request is sent. A function
 * rehearses before its first event; a command has none.
 */
export function createDynamoDB(
  { dynamodbEndpoint, dynamodbTimeoutMs }: Config<"dynamodbEndpoint" | "dynamodbTimeoutMs">,
  { isCommand = false } = {},
): DynamoDB {
  const client = new DynamoDBClient({
    ...(dynamodbEndpoint !== undefined && { endpoint: dynamodbEndpoint }),
    maxAttempts: 3,
    requestHandler: {
      httpsAgent: createRehearsingAgent(),
      connectionTimeout: dynamodbTimeoutMs * 0.625,
      requestTimeout: dynamodbTimeoutMs,
      // Without it `requestTimeout` only warns and goes on waiting.
      throwOnRequestTimeout: true,
    },
  });
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  // The one way of every attempt: nothing goes on in a sandbox that was frozen after its response.
  requestHandler.handle = (request, options) => {
    const abortSignal = currentSignal();
    return handle(request, { ...options, ...(abortSignal && { abortSignal }) });
  };
  const documents = asDocuments(client);
  // What fails here fails again at the first request, which says so
  if (!isCommand) rehearseWrite(documents).catch(() => undefined);
  return documents;
}

/** The same connections with one attempt only, for a write that must not arrive twice. */
export function withoutRetries({ config }: DynamoDB): DynamoDB {
  const { endpoint, region, credentials, requestHandler } = config;
  const unretried = new DynamoDBClient({
    ...(endpoint && { endpoint }),
    region,
    credentials,
    requestHandler,
    maxAttempts: 1,
  });
  return asDocuments(unretried);
}

function asDocuments(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** Reads an item, or some of its attributes, strongly consistent. Throws AppError `unavailable`. */
export async function getItem(
  client: DynamoDB,
  address: ItemAddress,
  attributes?: string[],
): Promise<Item | undefined> {
  const some = attributes && { ProjectionExpression: attributes.join(", ") };
  const command = new GetCommand({ ...address, ConsistentRead: true, ...some });
  const { Item } = await client.send(command).catch(unavailable);
  return Item;
}

/**
 * Sends one conditional update and asks for the item back, whether it was written or not. One that meets a transaction
 * over its item is tried again. Throws AppError `unavailable`.
 */
export async function updateItem(
  client: DynamoDB,
  address: ItemAddress,
  expression: UpdateExpression,
): Promise<WriteResult> {
  const command = new UpdateCommand({
    ...address,
    ...expression,
    ReturnValues: "ALL_NEW",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  try {
    const { Attributes } = await writeOne(() => client.send(command));
    return { written: true, item: Attributes ?? {} };
  } catch (error) {
    if (!isConditionFailure(error)) return unavailable(error);
    return { written: false, item: findRefusingItem(error) };
  }
}

/** The parts of an update expression that set these attributes, and remove those that are undefined; they follow a SET. */
export function setOrRemove(attributes: Item): { set: string; remove: string; values: Item } {
  const names = Object.keys(attributes);
  const given = names.filter((name) => attributes[name] !== undefined);
  const absent = names.filter((name) => attributes[name] === undefined);
  return {
    set: given.map((name) => `, ${name} = :${name}`).join(""),
    remove: absent.length === 0 ? "" : ` REMOVE ${absent.join(", ")}`,
    values: Object.fromEntries(given.map((name) => [`:${name}`, attributes[name]])),
  };
}

/**
 * Sends the write of one item; where a transaction over that item stands in its way, three times more. Throws what the SDK
 * throws.
 */
export async function writeOne<T>(send: () => Promise<T>): Promise<T> {
  for (let repeat = 1; ; repeat++) {
    try {
      return await send();
    } catch (error) {
      if (!isConflict(error) || repeat > maxRepeats) throw error;
      await pauseWithJitter(repeat);
    }
  }
}

/** The item is in a transaction that has not ended yet: the write was not done, and the SDK does not try it again. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && error.name === "TransactionConflictException";
}

/** Answers whether a write was refused by its condition. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}

/** The item that refused a write which asked for it (`ALL_OLD`); undefined if there was none. The SDK leaves it marshalled. */
export function findRefusingItem(error: unknown): Item | undefined {
  const item = (error as { Item?: Record<string, AttributeValue> }).Item;
  return item && unmarshall(item);
}

/** Turns what the SDK throws (throttled, timed out, away, table missing) into the API's 503. */
export function unavailable(error: unknown): never {
  throw new AppError("unavailable", { cause: error });
}
