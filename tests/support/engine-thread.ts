import { EventEmitter } from "node:events";
import { parentPort } from "node:worker_threads";
import { startEngine } from "../../local/engine.ts";

// Run by database.ts and bench/stage.ts as a thread of its own, so that the engine takes no time from the service.
const { endpoint, server } = await startEngine();
parentPort?.postMessage(endpoint);

const signature =
  "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

// What wire.ts hands on comes as a message: the engine sees what it would of an HTTP request, at a fraction of the time.
parentPort?.on("message", ({ id, target, text }: { id: number; target: string; text: string }) => {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": target,
    "x-amz-date": "20260101T000000Z",
    authorization: signature,
  };
  const request = Object.assign(new EventEmitter(), { method: "POST", url: "/", headers });
  const response = {
    statusCode: 200,
    setHeader() {},
    end: (body = "") => parentPort?.postMessage({ id, answer: { status: response.statusCode, body } }),
  };
  server.emit("request", request, response);
  request.emit("data", Buffer.from(text));
  request.emit("end");
});
