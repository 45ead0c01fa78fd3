import { clock } from "../support/clock.ts";
import { pathOf } from "../support/declared.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import type { Service } from "../support/service.ts";
import type { Fault } from "../support/wire.ts";

/** When a function dies, seen from one of its requests to the database. */
export const moments = ["before the database has it", "when it is applied", "when it is answered"] as const;

/** One of them. */
export type Moment = (typeof moments)[number];

/** Starts a function in a process of its own, which is to be killed. Its requests have the path `/killed`. */
export function startVictim(
  { wire, environment }: Pick<Service, "wire" | "environment">,
  route: RouteName,
  request: ClientRequest,
) {
  const env = {
    ...environment,
    DYNAMODB_ENDPOINT: `${wire.endpoint}/killed`,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test-secret-access-key",
    HELD_TIME: String(clock.now),
  };
  const killing = new AbortController();
  const answer = invokeFresh(`.local/test/bundles/${pathOf(route)}.mjs`, env, createEvent(route, request), {
    signal: killing.signal,
    command: [process.execPath, "--import", "./tests/support/held-clock.mjs"],
  });
  const ended = answer.then(
    () => true,
    (error) => {
      if (!killing.signal.aborted) throw error;
      return false;
    },
  );
  return {
    /** Whether it answered before it was killed. */
    ended,
    /** Ends it as a power cut does, and waits until it has ended. */
    async kill(): Promise<void> {
      killing.abort();
      await ended;
    },
  };
}

/** Kills a process at such a moment of the request. */
export function killAt(moment: Moment, kill: () => Promise<void>): Fault {
  return async (request) => {
    if (moment === "before the database has it") {
      await kill();
      return undefined;
    }
    const answer = await request.deliver();
    // Whether the function sees its answer is a matter of microseconds; it dies in any case.
    if (moment === "when it is answered") {
      setImmediate(kill);
      return answer;
    }
    await kill();
    return undefined;
  };
}
