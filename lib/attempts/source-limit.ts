import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createPauses } from "./refusal-cache.ts";
import { listSources } from "./source-address.ts";
import type { AttemptStore } from "./store.ts";

/** What is limited: `limit` times in a window of `windowSeconds`; 0 is no limit. */
export interface SourceLimitRule {
  /** What the response calls it, in the plural. */
  what: "logins" | "registrations" | "mails";
  limit: number;
  windowSeconds: number;
}

interface SourceLimitOptions extends SourceLimitRule {
  attempts: Pick<AttemptStore, "countInWindow">;
  keyedHash: KeyedHash;
  clock: Clock;
}

/** The limit of requests from one source address. */
export type SourceLimit = ReturnType<typeof createSourceLimit>;

/** Makes the limit of requests from one source address, in windows that begin with the full minute or hour. */
export function createSourceLimit(options: SourceLimitOptions) {
  const { attempts, keyedHash, clock, what, limit, windowSeconds } = options;
  const pauses = createPauses(clock);

  return {
    /**
     * Counts one request of an address, and what a network may have eight times as often at the network, too. Throws
     * AppError `too_many_requests`, `unavailable`.
     */
    async count(address: string | undefined): Promise<void> {
      if (limit === 0) return;
      const now = clock();
      const endsAt = now - (now % windowSeconds) + windowSeconds;
      const seconds = endsAt - now;
      const counters = await Promise.all(
        listSources(address).map(async ({ name, share }) => ({
          id: await keyedHash.hash(`${what}:${name}:${endsAt}`),
          limit: limit * share,
        })),
      );
      if (counters.some(({ id }) => pauses.find(id) > 0)) throw tooManyRequests(what, seconds);
      // One after the other: what one party is refused does not use up what its neighbours have.
      for (const { id, limit } of counters) {
        if (await attempts.countInWindow(id, { limit, endsAt })) continue;
        pauses.keep(id, seconds);
        throw tooManyRequests(what, seconds);
      }
    },
  };
}

function tooManyRequests(what: SourceLimitRule["what"], seconds: number): AppError {
  return new AppError("too_many_requests", {
    detail: `Too many ${what} from this address. The next one is possible in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
  });
}
