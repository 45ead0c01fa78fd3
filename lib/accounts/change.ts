import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { systemClockMs } from "../clock.ts";
import { nameDevice } from "../device-name.ts";
import type { ChangeEvent } from "../events.ts";
import type { Client } from "../sessions/session.ts";

/** The last change of an account, as the user's item holds it; the one write that changes an account writes it, too. */
export const changeSchema = v.object({
  /** Names the change: whoever tells of it tells once. Of two in one second the later one has the higher name. */
  id: v.string(),
  event: v.string(),
  /** `user`, or whatever else changed the account. */
  by: v.string(),
  /** Epoch seconds. */
  at: v.number(),
  ip: v.exactOptional(v.string()),
  /** Like `Chrome on Windows`; absent of an operator. */
  device: v.exactOptional(v.string()),
  /** The id of the request, which is in the log. */
  requestId: v.string(),
  /** Where roles were given or taken: those that the user has since. */
  roles: v.exactOptional(v.array(v.string())),
});

/** The last change of an account. */
export type Change = v.InferOutput<typeof changeSchema>;

/** Who changes an account, and by which request. */
export interface ChangeSource {
  by: string;
  /** Of an operator nothing is known. */
  client?: Client;
  requestId: string;
}

/** Makes the record of a change that is about to be written; `now` is in epoch seconds. */
export function createChange(
  event: ChangeEvent,
  { by, client, requestId }: ChangeSource,
  now: number,
): Change {
  const { ip, userAgent } = client ?? {};
  return {
    ...{ id: createId(), event, by, at: now, requestId },
    ...(ip !== undefined && { ip }),
    ...(client && { device: nameDevice(userAgent) }),
  };
}

/** A UUID that begins with the time (version 7, RFC 9562, 5.7). */
function createId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(systemClockMs(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
