/**
 * Like Promise.all, but when one fails it waits for the others, too: a request left behind would be frozen with the
 * sandbox as soon as the response is out.
 */
export async function settleAll<T extends readonly unknown[] | []>(
  promises: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
