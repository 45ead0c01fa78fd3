/** A lost answer is asked for again at once; later the same request would be a way to guess a password, which nobody counts. */
const repeatSeconds = 600;

/** Answers whether a request that was done at this time may be answered once more; both in epoch seconds. */
export const isAnsweredAgain = (doneAt: number | undefined, now: number): boolean =>
  doneAt === undefined || doneAt > now - repeatSeconds;
