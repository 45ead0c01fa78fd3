import type { Action } from "./actions.ts";
import { Violation } from "./invariants.ts";
import { canonical, type World, worldText } from "./world.ts";

/** What an exhaustive search has seen. */
export interface Exploration {
  worlds: number;
  transitions: number;
  /** How many different schedules of the full depth the transitions make up. */
  schedules: number;
  /** The first violation, by the shortest schedule there is to one. */
  violation?: { error: Violation; schedule: string[] };
}

/**
 * Goes through every schedule of at most `depth` events, with the other steps in every order between them.
 * Schedules that come to the same world are followed once. Stops at the first violation.
 */
export async function explore(
  start: World,
  listActions: (world: World, hasRoom: boolean) => Action[],
  depth: number,
): Promise<Exploration> {
  const graph = createGraph();
  const ids = new Map<string, number>();
  const events: number[] = [];
  const origins: { parent: number; name: string }[] = [];
  const isExpanded: boolean[] = [];

  /** Finds or numbers a world; gives its number if it has to be looked at, after so many events. */
  function visit(world: World, spent: number, parent: number, name: string) {
    const text = worldText(world);
    let id = ids.get(text);
    const isNearer = id === undefined || ((events[id] as number) > spent && !isExpanded[id]);
    if (id === undefined) {
      id = ids.size;
      ids.set(text, id);
    }
    if (isNearer) {
      events[id] = spent;
      origins[id] = { parent, name };
    }
    return { id, isNearer };
  }

  function scheduleTo(id: number, last: string): string[] {
    const names = [last];
    for (let at = id; at > 0; at = origins[at]?.parent ?? 0) names.unshift(origins[at]?.name ?? "");
    return names;
  }

  let layer = [{ id: visit(canonical(start), 0, 0, "").id, world: canonical(start) }];
  for (let spent = 0; spent <= depth; spent++) {
    const nextLayer: typeof layer = [];
    for (let entry = layer.pop(); entry; entry = layer.pop()) {
      const { id, world } = entry;
      if (isExpanded[id]) continue;
      isExpanded[id] = true;
      graph.open(id);
      for (const { name, isEvent, apply } of listActions(world, spent < depth)) {
        let next: World | null;
        try {
          next = await apply();
        } catch (error) {
          if (!(error instanceof Violation)) throw error;
          const violation = { error, schedule: scheduleTo(id, name) };
          return { worlds: ids.size, transitions: graph.size(), schedules: 0, violation };
        }
        if (!next) continue;
        const named = canonical(next);
        const visited = visit(named, spent + Number(isEvent), id, name);
        graph.add(visited.id, isEvent);
        if (visited.isNearer) (isEvent ? nextLayer : layer).push({ id: visited.id, world: named });
      }
      graph.close();
    }
    layer = nextLayer;
  }
  return { worlds: ids.size, transitions: graph.size(), schedules: graph.countPaths(depth) };
}

/** Transitions between numbered worlds. */
function createGraph() {
  const first: number[] = [];
  const last: number[] = [];
  const targets: number[] = [];
  let current = 0;

  /** Paths from a world that cannot go on any further, with so many events left. */
  function countPaths(depth: number): number {
    const known = Array.from({ length: depth + 1 }, () => new Map<number, number>());
    const count = (id: number, left: number): number => {
      const found = known[left]?.get(id);
      if (found !== undefined) return found;
      let paths = 0;
      for (let at = first[id] ?? 0; at < (last[id] ?? 0); at++) {
        const target = targets[at] as number;
        const isEvent = target % 2 === 1;
        if (!isEvent || left > 0) paths += count((target - Number(isEvent)) / 2, left - Number(isEvent));
      }
      known[left]?.set(id, paths || 1);
      return paths || 1;
    };
    return count(0, depth);
  }

  return {
    open(id: number) {
      current = id;
      first[id] = targets.length;
    },
    add(target: number, isEvent: boolean) {
      targets.push(target * 2 + Number(isEvent));
    },
    close() {
      last[current] = targets.length;
    },
    size: () => targets.length,
    countPaths,
  };
}
