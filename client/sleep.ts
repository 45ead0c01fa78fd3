/** If the API asks for a longer wait than this, the client does not wait at all. */
export const maxWaitSeconds = 10;

/** Waits the given seconds and up to half as long again, so that not all clients come back at once. */
export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (1 + Math.random() / 2)));
}
