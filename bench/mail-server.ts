import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A mail as SES is asked to send it. */
interface Sent {
  Destination: { ToAddresses: string[] };
  Content: { Simple: { Body: { Text: { Data: string } } } };
}

/** Takes every mail, as AWS SES would (SendEmail, REST with JSON); `GET /ada@example.com` gives the text of the last one there. */
export async function serveMails(): Promise<string> {
  const texts = new Map<string, string>();
  const server = createServer(async (incoming, outgoing) => {
    if (incoming.method === "GET") {
      outgoing.end(texts.get(decodeURIComponent(incoming.url?.slice(1) ?? "")));
      return;
    }
    const { Destination, Content } = (await json(incoming)) as Sent;
    texts.set(Destination.ToAddresses.join(), Content.Simple.Body.Text.Data);
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ MessageId: "bench" }));
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
