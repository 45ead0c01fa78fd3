import { type AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { AppError } from "./errors.ts";

/** An item as the document client gives it: not trusted to have any shape. */
export type Item = Record<string, unknown>;

/** The parts of a conditional update. */
export interface UpdateExpression {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeValues: Item;
}

/** The document client, and what is known of the engine behind it. */
export interface DynamoDB {
  client: DynamoDBDocumentClient;
  /** A failed condition brings the old item along. DynamoDB does that; embedded engines do not. */
  returnsItemOnFailure: boolean;
}

/** Makes the one client of a sandbox: 3 attempts, keep-alive, 0.5 s to connect, 0.8 s for an answer. */
export function createDynamoDB({ dynamodbEndpoint }: { dynamodbEndpoint: string | undefined }): DynamoDB {
  const client = new DynamoDBClient({
    ...(dynamodbEndpoint !== undefined && { endpoint: dynamodbEndpoint }),
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 500,
      requestTimeout: 800,
      // Without it `requestTimeout` only warns and goes on waiting.
      throwOnRequestTimeout: true,
    },
  });
  return { client: asDocuments(client), returnsItemOnFailure: dynamodbEndpoint === undefined };
}

/** The same connections with one attempt only, for a write that must not arrive twice. */
export function withoutRetries({ client, returnsItemOnFailure }: DynamoDB): DynamoDB {
  const { endpoint, region, credentials, requestHandler } = client.config;
  const unretried = new DynamoDBClient({
    ...(endpoint && { endpoint }),
    region,
    credentials,
    requestHandler,
    maxAttempts: 1,
  });
  return { client: asDocuments(unretried), returnsItemOnFailure };
}

function asDocuments(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** Answers whether a write was refused by its condition. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}

/** The old item that came with a failed condition (`ALL_OLD`), if it came. The SDK leaves it marshalled. */
export function findFailedItem(error: unknown): Item | undefined {
  const item = (error as { Item?: Record<string, AttributeValue> }).Item;
  return item && unmarshall(item);
}

/** Turns what the SDK throws (throttled, timed out, away, table missing) into the API's 503. */
export function unavailable(error: unknown): never {
  throw new AppError("unavailable", { cause: error });
}
