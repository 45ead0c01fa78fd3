import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";

const header = "x-test-caller";
const current = new AsyncLocalStorage<string>();

// One process holds the sandboxes of all functions. Each of their requests tells whose it is, as its credentials would.
subscribe("http.client.request.created", (message) => {
  const { request } = message as { request: ClientRequest };
  const caller = current.getStore();
  if (caller && !request.headersSent) request.setHeader(header, caller);
});

/** Runs a function of the service under its name. */
export const runAs = <T>(name: string, run: () => T): T => current.run(name, run);

/** The function that sent a request to AWS, if it was one. */
export const callerOf = ({ headers }: IncomingMessage): string | undefined => headers[header]?.toString();
