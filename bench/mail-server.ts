import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Takes every mail, as AWS SES would (SendEmail, REST with JSON), and keeps none. */
export async function serveMails(): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ MessageId: "bench" }));
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
