import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves one secret as AWS Secrets Manager would (GetSecretValue, JSON 1.1), since deployed functions read their keys there. */
export async function serveSecret(text: string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on("end", () => {
      outgoing.setHeader("content-type", "application/x-amz-json-1.1");
      outgoing.end(JSON.stringify({ Name: "bench-signing-keys", SecretString: text }));
    });
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
