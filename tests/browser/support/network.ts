import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A response of the API on its way to the browser. */
interface Answer {
  release(): void;
  /** Breaks the connection: the browser never gets it. */
  lose(): void;
}

/** Starts an HTTP proxy on loopback in front of the API at `target`. */
export async function startNetwork(target: string) {
  let isCut = false;
  const holds: { path: string; take: (answer: Answer) => void }[] = [];
  const answers: { path: string; status: number }[] = [];

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = incoming;
    // Each on a connection of its own: one that is kept may be closed at the very moment when it is used.
    const onward = request(target + path, { method, headers, agent: false });
    onward.end(await buffer(incoming));
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const content = await buffer(answer);
    const status = answer.statusCode ?? 0;
    answers.push({ path, status });
    const release = () => void outgoing.writeHead(status, answer.headers).end(content);
    const index = holds.findIndex((hold) => hold.path === path);
    if (isCut) outgoing.destroy();
    else if (index < 0) release();
    else holds.splice(index, 1)[0]?.take({ release, lose: () => void outgoing.destroy() });
  }

  const server = createServer((incoming, outgoing) => {
    if (isCut) return void incoming.socket.destroy();
    forward(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");

  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,

    /** The statuses with which the API has answered a path. */
    statusesOf: (path: string): number[] =>
      answers.filter((answer) => answer.path === path).map(({ status }) => status),

    /** Holds the next answer of a path; settles when the API has given it. */
    hold(path: string): Promise<Answer> {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      holds.push({ path, take: resolve });
      return promise;
    },

    /** Cuts the network: what is under way is lost, and nothing gets through. */
    cut(): void {
      isCut = true;
      server.closeAllConnections();
    },

    mend(): void {
      isCut = false;
    },

    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
