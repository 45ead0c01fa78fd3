import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { nameDevice } from "../device-name.ts";
import type { ChangeEvent } from "../events.ts";
import type { Client } from "../sessions/session.ts";

/** The last change of an account, as the user's item holds it; the one write that changes an account writes it, too. */
export const changeSchema = v.object({
  /** Names the change: whoever tells of it tells once. */
  id: v.string(),
  event: v.string(),
  /** `user`, or whatever else changed the account. */
  by: v.string(),
  /** Epoch seconds. */
  at: v.number(),
  ip: v.exactOptional(v.string()),
  /** Like `Chrome on Windows`. */
  device: v.string(),
  /** The id of the request, which is in the log. */
  requestId: v.string(),
});

/** The last change of an account. */
export type Change = v.InferOutput<typeof changeSchema>;

/** Who changes an account, and by which request. */
export interface ChangeSource {
  by: string;
  client: Client;
  requestId: string;
}

/** Makes the record of a change that is about to be written; `now` is in epoch seconds. */
export function createChange(
  event: ChangeEvent,
  { by, client, requestId }: ChangeSource,
  now: number,
): Change {
  const { ip, userAgent } = client;
  return {
    ...{ id: randomUUID(), event, by, at: now, requestId },
    ...(ip !== undefined && { ip }),
    device: nameDevice(userAgent),
  };
}
