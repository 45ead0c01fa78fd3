import type fc from "fast-check";
import type { Wire, WireRequest } from "../../../support/wire.ts";

/** What befalls a request when it is let go on. */
export type Fate = "delivered" | "lost" | "unanswered";

/** What befell the requests of one party. */
export interface Trail {
  isRetried: boolean;
  unanswered: number;
}

/**
 * Runs parties at once. Each request that one of them sends to the engine (its sandbox's endpoint has the party's
 * number as its path) is held until all have one there or are done; then the scheduler chooses which goes on, alone.
 */
export async function takeTurns(
  wire: Wire,
  scheduler: fc.Scheduler,
  parties: (() => Promise<void>)[],
  nextFate: () => Fate,
): Promise<Trail[]> {
  const trails = parties.map((): Trail => ({ isRetried: false, unanswered: 0 }));
  const arrived = new Map<number, () => void>();
  const held = new Map<number, Promise<void>>();
  const done = new Set<number>();
  let moved = Promise.withResolvers<void>();
  const move = () => {
    moved.resolve();
    moved = Promise.withResolvers();
  };

  async function befall(request: WireRequest) {
    const party = Number(request.path.split("/")[1]);
    const { promise, resolve } = Promise.withResolvers<void>();
    arrived.set(party, resolve);
    move();
    await promise;
    const fate = nextFate();
    const trail = trails[party] as Trail;
    if (fate !== "delivered") trail.isRetried = true;
    if (fate === "lost") return undefined;
    const answer = await request.deliver();
    if (fate === "delivered") return answer;
    trail.unanswered++;
    return undefined;
  }

  wire.break("", befall, { times: Number.POSITIVE_INFINITY });
  const acts = parties.map(async (act, party) => {
    await act();
    done.add(party);
    move();
  });
  while (done.size < parties.length) {
    const isSettled = parties.every((_, party) => done.has(party) || arrived.has(party));
    if (!isSettled) {
      await moved.promise;
      continue;
    }
    // In the order of the parties, so that the same seed makes the same choices.
    for (const party of [...arrived.keys()].sort((a, b) => a - b)) {
      if (held.has(party)) continue;
      const turn = scheduler.schedule(Promise.resolve(), `party ${party}`).then(() => {
        held.delete(party);
        const goOn = arrived.get(party);
        arrived.delete(party);
        goOn?.();
      });
      held.set(party, turn);
    }
    await scheduler.waitNext(1);
  }
  await Promise.all(acts);
  wire.mend();
  return trails;
}
