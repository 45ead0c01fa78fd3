import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { unavailable } from "../dynamodb.ts";
import type { PublishedEvent } from "./published-events.ts";

/** The `source` of every event, whatever the stage: that is the bus's. */
const source = "serverless-auth-api";

/** Puts events on the bus, each at least once. Throws AppError `unavailable` where one was not taken. */
export type Publish = ReturnType<typeof createPublish>;

/** Opens an event bus of EventBridge by its name. */
export function createPublish(busName: string) {
  const client = new EventBridgeClient({
    maxAttempts: 3,
    // See lib/dynamodb.ts: without `throwOnRequestTimeout` the timeout only warns.
    requestHandler: { connectionTimeout: 500, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return async function publish(events: PublishedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const Entries = events.map(({ type, detail }) => ({
      ...{ EventBusName: busName, Source: source, DetailType: type, Detail: JSON.stringify(detail) },
      Time: new Date(detail.at * 1_000),
    }));
    const { FailedEntryCount = 0, Entries: results = [] } = await client
      .send(new PutEventsCommand({ Entries }))
      .catch(unavailable);
    if (FailedEntryCount === 0) return;
    const codes = results.map(({ ErrorCode }) => ErrorCode).filter((code) => code !== undefined);
    unavailable(new Error(`the event bus has not taken ${FailedEntryCount} events: ${codes.join(", ")}`));
  };
}
