/** What can happen next. An event counts against the depth of the search; other steps of what is under way do not. */
export interface Action<World> {
  name: string;
  isEvent: boolean;
  /** The world after it; null if nothing has changed. Throws Violation. */
  apply: () => World | null | Promise<World | null>;
}

/** A broken invariant. */
export class Violation extends Error {}

export interface Exploration {
  worlds: number;
  transitions: number;
  /** The first violation, by a schedule with as few events as there is to one. */
  violation?: { error: Violation; schedule: string[] };
}

interface Model<World> {
  start: World;
  listActions: (world: World, hasRoom: boolean) => Action<World>[] | Promise<Action<World>[]>;
  /** A text that tells worlds apart. */
  textOf: (world: World) => string;
  /** The world that stands for all that differ in names only. */
  canonical?: (world: World) => World;
}

/**
 * Goes through every schedule of at most `depth` events, with the other steps in every order between them.
 * Schedules that come to the same world are followed once. Stops at the first violation.
 */
export async function explore<World>(model: Model<World>, depth: number): Promise<Exploration> {
  const { start, listActions, textOf, canonical = (world) => world } = model;
  const ids = new Map<string, number>();
  const known: { spent: number; parent: number; name: string; isExpanded: boolean }[] = [];
  let transitions = 0;

  /** Finds or numbers a world; gives its number if it has to be looked at, after so many events. */
  function visit(world: World, spent: number, parent: number, name: string): number | undefined {
    const text = textOf(world);
    const id = ids.get(text) ?? ids.size;
    const found = known[id];
    if (found && (found.isExpanded || found.spent <= spent)) return undefined;
    ids.set(text, id);
    known[id] = { spent, parent, name, isExpanded: false };
    return id;
  }

  function scheduleTo(id: number, last: string): string[] {
    const names = [last];
    for (let at = id; at > 0; at = known[at]?.parent ?? 0) names.unshift(known[at]?.name ?? "");
    return names;
  }

  const first = canonical(start);
  let layer = [{ id: visit(first, 0, 0, "") ?? 0, world: first }];
  for (let spent = 0; spent <= depth; spent++) {
    const nextLayer: typeof layer = [];
    while (layer.length > 0) {
      const current = layer;
      layer = [];
      for (const { id, world } of current) {
        const about = known[id];
        if (!about || about.isExpanded) continue;
        about.isExpanded = true;
        for (const { name, isEvent, apply } of await listActions(world, spent < depth)) {
          let next: World | null;
          try {
            const result = apply();
            next = result instanceof Promise ? await result : result;
          } catch (error) {
            if (!(error instanceof Violation)) throw error;
            return { worlds: ids.size, transitions, violation: { error, schedule: scheduleTo(id, name) } };
          }
          if (!next) continue;
          transitions++;
          const renamed = canonical(next);
          const nextId = visit(renamed, spent + Number(isEvent), id, name);
          if (nextId !== undefined) (isEvent ? nextLayer : layer).push({ id: nextId, world: renamed });
        }
      }
    }
    layer = nextLayer;
  }
  return { worlds: ids.size, transitions };
}
