/** Something that a browser keeps for a while. */
interface Kept {
  /** Until when it is of use: milliseconds of the local clock. */
  untilMs: number;
}

/**
 * Keeps a list under a name in what `open` gives (localStorage, where all tabs see it); in memory without a name, and where a
 * browser forbids that. What is of no use any more is left out.
 */
export function createKeptList<T extends Kept>(name: string | undefined, open = () => localStorage) {
  let memory: T[] | undefined = name ? undefined : [];

  return {
    load(): T[] {
      try {
        const kept: T[] = memory ?? JSON.parse(open().getItem(name as string) ?? "[]");
        return kept.filter(({ untilMs }) => untilMs > Date.now());
      } catch {
        return [];
      }
    },

    save(kept: T[]): void {
      try {
        if (memory) memory = kept;
        else open().setItem(name as string, JSON.stringify(kept));
      } catch {
        memory = kept;
      }
    },
  };
}
