/** Who asks for more patience than this gets none of ours. */
export const maxWaitSeconds = 10;

/** Waits so many seconds, and up to half as long again, so that not all clients come back at once. */
export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (1 + Math.random() / 2)));
}
