import { Agent } from "node:https";
import { Duplex } from "node:stream";
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";

// Lambda gives a sandbox a whole core until its first event, and 0.14 to 0.6 of one from then on. Code is compiled when it runs
// for the first time, so that is before the first event.

/** Nobody's host (RFC 2606). */
const memoryHost = "rehearsal.invalid";

const body = '{"Attributes":{"a":{"S":"b"}}}';
const answer = `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** A connection without a network: it takes whatever is sent, and its one answer has come already. */
function connectToMemory(): Duplex {
  const connection = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  connection.push(answer);
  connection.push(null);
  return connection;
}

/** Makes the connections of a client that rehearses: as many as the SDK's own agent, and kept open like its. */
export function createRehearsingAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) =>
    options.host === memoryHost ? connectToMemory() : connect(options, done);
  return agent;
}

/**
 * Sends one write through a client with such an agent, from the command to the parser of its answer, over a connection in
 * memory: nothing leaves the sandbox. Gives the item that was answered. On Lambda it ends before the event loop turns, and so
 * before the first event. It takes half of the processor time off the first request of `GET /auth/sessions`.
 */
export async function rehearseWrite(
  client: DynamoDBDocumentClient,
): Promise<Record<string, unknown> | undefined> {
  const write = new UpdateCommand({
    TableName: "rehearsal",
    Key: { a: "b" },
    UpdateExpression: "SET a = :a",
    ExpressionAttributeValues: { ":a": "b" },
    ReturnValues: "ALL_NEW",
  });
  write.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as object, { protocol: "https:", hostname: memoryHost });
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const { Attributes } = await client.send(write);
  return Attributes;
}
