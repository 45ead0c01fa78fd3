import { request } from "node:http";
import { text } from "node:stream/consumers";

/** Sends a request as a browser may: with any headers, `Host` too, which `fetch` makes itself. */
export async function sendLocally(
  url: string,
  headers: Record<string, string>,
  { method = "GET", body = "" } = {},
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const sent = request(url, { method, headers }, async (answer) => {
    const { statusCode: status = 0, headers: received } = answer;
    resolve(new Response(await text(answer), { status, headers: received as Record<string, string> }));
  });
  sent.on("error", reject).end(body);
  return promise;
}
