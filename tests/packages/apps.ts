import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import middy from "@middy/core";
import express from "express";
import express4 from "express-4";
import fastify from "fastify";
import { Hono } from "hono";
import type { Claims, Verifier } from "serverless-auth-verify";
import * as ofExpress from "serverless-auth-verify/express";
import * as ofFastify from "serverless-auth-verify/fastify";
import * as ofHono from "serverless-auth-verify/hono";
import * as ofMiddy from "serverless-auth-verify/middy";

declare module "fastify" {
  interface FastifyRequest {
    auth: Claims;
  }
}

/** An application on loopback: `/orders` for whoever is logged in, any method; `/report` for administrators. */
export interface App {
  url: string;
  stop(): Promise<void>;
}

/** Tells that a handler ran. */
type Ran = () => void;

/** The same application in each framework, as verify/README.md has it. */
export const apps: Record<string, (verifier: Verifier, ran: Ran) => Promise<App>> = {
  "express 5": (verifier, ran) => {
    const app = express();
    app.use(ofExpress.authenticate(verifier));
    app.all("/orders", ({ auth }, response) => {
      ran();
      response.json({ email: auth.email });
    });
    app.get("/report", ofExpress.requireRole("admin"), ({ auth }, response) => {
      ran();
      response.json({ email: auth.email });
    });
    return listen(createServer(app));
  },

  "express 4": (verifier, ran) => {
    const app = express4();
    const answer: express.Handler = ({ auth }, response) => {
      ran();
      response.json({ email: auth.email });
    };
    app.use(ofExpress.authenticate(verifier));
    app.all("/orders", answer);
    app.get("/report", ofExpress.requireRole("admin"), answer);
    return listen(createServer(app));
  },

  "fastify 5": async (verifier, ran) => {
    const app = fastify();
    app.addHook("onRequest", ofFastify.authenticate(verifier));
    app.all("/orders", async ({ auth }) => {
      ran();
      return { email: auth.email };
    });
    app.get("/report", { preHandler: ofFastify.requireRole("admin") }, async ({ auth }) => {
      ran();
      return { email: auth.email };
    });
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    return { url, stop: () => app.close() };
  },

  "hono 4": async (verifier, ran) => {
    const app = new Hono<{ Variables: { auth: Claims } }>();
    app.use(ofHono.authenticate(verifier));
    app.all("/orders", (c) => {
      ran();
      return c.json({ email: c.get("auth").email });
    });
    app.get("/report", ofHono.requireRole("admin"), (c) => {
      ran();
      return c.json({ email: c.get("auth").email });
    });
    return listen(serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }) as Server);
  },

  // A function behind an HTTP API; the gateway is a server of this file's own.
  "middy 7": (verifier, ran) => {
    const answer = async ({ auth }: ofMiddy.AuthenticatedEvent): Promise<ofMiddy.LambdaAnswer> => {
      ran();
      return { statusCode: 200, headers: {}, body: JSON.stringify({ email: auth.email }) };
    };
    const protect = () => middy().use(ofMiddy.authenticate(verifier));
    const orders = protect().handler(answer);
    const report = protect().use(ofMiddy.requireRole("admin")).handler(answer);
    return listen(
      createServer(async ({ method, url = "", headers: { cookie, ...headers } }, response) => {
        const requestContext = { http: { method }, domainName: headers.host };
        const event = { version: "2.0", cookies: cookie?.split("; "), headers, requestContext };
        const {
          statusCode,
          headers: sent,
          body,
        } = await (url === "/report" ? report : orders)(event as never, {} as never);
        response.writeHead(statusCode, sent).end(body);
      }),
    );
  },
};

/** Waits until a server listens on loopback. */
export async function listen(server: Server): Promise<App> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
