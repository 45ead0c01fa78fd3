import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/**
 * Serves secrets, by their id, as AWS Secrets Manager would (GetSecretValue, JSON 1.1), since deployed functions read
 * their keys there.
 */
export async function serveSecrets(secrets: Record<string, string>): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const { SecretId } = (await json(incoming)) as { SecretId: string };
    outgoing.setHeader("content-type", "application/x-amz-json-1.1");
    outgoing.end(JSON.stringify({ Name: SecretId, SecretString: secrets[SecretId] }));
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
