import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import dynalite from "dynalite";

// Run by database.ts as a thread of its own, so that the engine takes no time from the service under test.
const server = dynalite({ createTableMs: 0 });
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
parentPort?.postMessage(`http://127.0.0.1:${port}`);

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
    end: (body: string) => parentPort?.postMessage({ id, answer: { status: response.statusCode, body } }),
  };
  server.emit("request", request, response);
  request.emit("data", Buffer.from(text));
  request.emit("end");
});
