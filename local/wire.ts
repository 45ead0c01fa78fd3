import type { Server } from "node:http";

/** What an engine answers, as it stands on the wire. */
export interface Answer {
  status: number;
  body: string;
}

/** Hands a request to an engine: `target` is its header X-Amz-Target, `body` its JSON. */
export type Deliver = (target: string, body: string) => Promise<Answer>;

/** An engine without an address. */
export interface Core {
  deliver: Deliver;
  /** A server of its own that is to listen for it, with nobody listening to that yet. */
  server?: Server;
  /** Ends it, when the server has closed. */
  stop?(): Promise<void>;
}

/** A map of attributes: `{ id: { S: "…" } }`. */
export type Item = Record<string, unknown>;

/** What the requests name that are not only handed on. */
export interface Parameters {
  TableName?: string;
  Key?: Item;
  Item?: Item;
  ReturnValuesOnConditionCheckFailure?: string;
  RequestItems?: unknown;
  TransactItems?: unknown;
  ClientRequestToken?: string;
  StreamSpecification?: { StreamEnabled: boolean; StreamViewType?: string };
  StreamArn?: string;
  ShardId?: string;
  ShardIteratorType?: string;
  ShardIterator?: string;
  Limit?: number;
}

/** What X-Amz-Target begins with. */
export const tablesApi = "DynamoDB_20120810";
export const streamsApi = "DynamoDBStreams_20120810";

export const contentType = "application/x-amz-json-1.0";

/** The headers of a request to an engine that looks at no signature; at most at whose tables are meant. */
export function sign(target: string, keyId = "local", region = "us-east-1"): Record<string, string> {
  return {
    "content-type": contentType,
    "x-amz-date": "20260101T000000Z",
    "x-amz-target": target,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
  };
}

/** The way to an engine by HTTP. */
export function deliverTo(endpoint: string, keyId?: string, region?: string): Deliver {
  return async (target, body) => {
    const response = await fetch(endpoint, { method: "POST", headers: sign(target, keyId, region), body });
    return { status: response.status, body: await response.text() };
  };
}

export const done = (body: object = {}): Answer => ({ status: 200, body: JSON.stringify(body) });

/** A refusal as DynamoDB has it. */
export function refuse(type: string, contents: object = {}): Answer {
  const space =
    type === "ValidationException" ? "com.amazon.coral.validate" : "com.amazonaws.dynamodb.v20120810";
  return { status: 400, body: JSON.stringify({ __type: `${space}#${type}`, ...contents }) };
}

export const isConditionFailed = ({ status, body }: Answer): boolean =>
  status === 400 && body.includes("ConditionalCheckFailedException");
