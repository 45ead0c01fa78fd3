import { startAwsServer } from "./aws-server.ts";

/** An event as it was put on the bus. */
export interface SentEvent {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time: number;
}

/** Starts an EventBridge on loopback, whose requests are called `PutEvents eventBus`. The SDK finds it by AWS_ENDPOINT_URL_EVENTBRIDGE. */
export async function startEventBus() {
  const events: SentEvent[] = [];
  const server = await startAwsServer("application/x-amz-json-1.1", (target, text) => {
    const parameters = JSON.parse(text);
    return {
      name: `${target.split(".")[1]} eventBus`,
      parameters,
      async deliver() {
        events.push(...parameters.Entries);
        const Entries = parameters.Entries.map(() => ({ EventId: "e" }));
        return { status: 200, body: JSON.stringify({ FailedEntryCount: 0, Entries }) };
      },
    };
  });
  return Object.assign(server, { events });
}
