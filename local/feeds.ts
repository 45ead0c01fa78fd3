import { setTimeout } from "node:timers/promises";
import { createConsumer, createStreamReader, type Feed } from "./stream-consumer.ts";
import type { Deliver } from "./wire.ts";

/**
 * Hands a function what comes into a table's stream, from now on and for as long as this process runs. What goes wrong is
 * said once, and tried again.
 */
export async function runFeed(
  feed: Feed,
  deliver: Deliver,
  invoke: (event: object) => Promise<unknown>,
  say: (line: string) => void,
): Promise<never> {
  const consume = createConsumer(createStreamReader(deliver, feed), feed.event);
  let said: string | undefined;
  for (;;) {
    let isDone = false;
    try {
      isDone = await consume(invoke);
      said = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== said) say(`${feed.functionName} is not called, or has failed: ${message}`);
      said = message;
    }
    await setTimeout(isDone ? 250 : 1_000);
  }
}

/** Invokes a function through the Lambda port of serverless-offline. Throws an Error where the function did. */
export async function invoke(lambdaPort: string, functionName: string, event: object): Promise<unknown> {
  const url = `http://localhost:${lambdaPort}/2015-03-31/functions/${functionName}/invocations`;
  const response = await fetch(url, { method: "POST", body: JSON.stringify(event) });
  const text = await response.text();
  if (!response.ok || response.headers.has("x-amz-function-error")) throw new Error(text);
  return text ? JSON.parse(text) : undefined;
}
