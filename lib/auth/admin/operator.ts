import { createChange } from "../../accounts/change.ts";
import type { Operations } from "../../accounts/operations.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import type { ChangeEvent } from "../../events.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";

/** Who does something for the team, and by which request. */
export interface Operator {
  /** `operator` and an ARN, or a user of a machine; `admin` and a user id. */
  by: `operator ${string}` | `admin ${string}`;
  requestId: string;
}

/** Makes the record of what an operator changes; `now` is in epoch seconds. */
export const createOperatorChange = (event: ChangeEvent, { by, requestId }: Operator, now: number) =>
  createChange(event, { by, requestId }, now);

/** What the use cases need by which an operator lets users in, or does not. */
export interface AccessOptions {
  users: Pick<UserStore, "find" | "noteSwept">;
  operations: Operations;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  clock: Clock;
}

/**
 * Makes what ends all sessions of a user whose epoch has been raised: what is left of them, whether or not the change was there
 * already. So all these use cases may be done again where they broke off.
 */
export function createEnding(stores: Pick<AccessOptions, "sessions" | "users">) {
  const sweep = createSweep(stores);

  /** Throws AppError `unavailable`. */
  return async function end(raised: Promise<User | undefined>): Promise<User | undefined> {
    const user = await raised;
    if (user) await sweep(user);
    return user;
  };
}
