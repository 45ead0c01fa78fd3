import type { User } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { accountRow, deviceRow } from "./forget-attempts.ts";
import type { Device, Devices } from "./known-devices.ts";
import { createPauses } from "./refusal-cache.ts";
import type { AttemptStore } from "./store.ts";

interface AttemptLimitOptions {
  attempts: Pick<AttemptStore, "count" | "clear">;
  /** Makes the ids: the table alone names nobody. */
  keyedHash: KeyedHash;
  devices: Devices;
  clock: Clock;
}

/** What somebody tries to get into: an address, and the user that the index has for it, or a random id. */
export interface Target {
  email: string;
  userId: string;
}

/** One attempt that was counted. */
export interface Attempt {
  email: string;
  /** The row it was counted in. */
  id: string;
  /** The attempts in a row, with this one. */
  count: number;
  /** What the browser keeps of an earlier login to the account, if that still counts. */
  device: Device | undefined;
}

/** The limit of password attempts for one account, whether or not it exists. */
export type AttemptLimit = ReturnType<typeof createAttemptLimit>;

/**
 * Makes the limit: 5 attempts in a row without success, then one after a pause that doubles from 30 s to an hour.
 * A browser that has logged in to the account before is counted by itself, so that strangers cannot lock it out
 * (OWASP, Slow Down Online Guessing Attacks with Device Cookies).
 */
export function createAttemptLimit({ attempts, keyedHash, devices, clock }: AttemptLimitOptions) {
  const pauses = createPauses(clock);

  async function countAs(email: string, device?: Device): Promise<Attempt> {
    const id = await keyedHash.hash(device ? deviceRow(device) : accountRow(email));
    const known = pauses.find(id);
    if (known > 0) throw tooManyAttempts(known);
    const counted = await attempts.count(id, clock());
    if ("count" in counted) return { email, id, device, ...counted };
    pauses.keep(id, counted.pauseSeconds);
    throw tooManyAttempts(counted.pauseSeconds);
  }

  return {
    /**
     * Counts one attempt, before the password is looked at; `device` is what the browser keeps, if anything.
     * Throws AppError `too_many_attempts`, `unavailable`.
     */
    async count({ email, userId }: Target, text?: string): Promise<Attempt> {
      return countAs(email, await devices.find(userId, text));
    },

    /**
     * Looks at an attempt again once the user has been read: a browser whose entry no longer counts – from before a change
     * of password, too old, or of a user who has another address by now – is a stranger, and its attempt is counted as one
     * of theirs, still before the password is looked at. The entry of the caller's own live session counts: that may have
     * been carried over the end of all others. Throws AppError `too_many_attempts`, `unavailable`.
     */
    async recount(
      attempt: Attempt,
      user: User | undefined,
      caller?: Pick<Session, "sessionId">,
    ): Promise<Attempt> {
      const { device } = attempt;
      if (!device || device.sessionId === caller?.sessionId || devices.isCurrent(device, user))
        return attempt;
      return countAs(attempt.email);
    },

    /**
     * Forgets the attempts after a success. Where this was the only one in the row there is nothing to forget, which
     * saves the usual login a request; it then counts in the next row.
     */
    async succeed({ id, count }: Pick<Attempt, "id" | "count">): Promise<void> {
      // The password was right: a counter that cannot be cleared now is no reason to refuse.
      if (count > 1) await attempts.clear(id).catch(() => undefined);
    },
  };
}

function tooManyAttempts(seconds: number): AppError {
  return new AppError("too_many_attempts", {
    detail: `Too many attempts in a row. The next one is possible in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
  });
}
