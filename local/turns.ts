/** Runs a call about some things after every earlier call about any of them; calls about other things run beside it. */
export type InTurn = <T>(ids: string[], call: () => Promise<T>) => Promise<T>;

/** A queue for each thing that has an id. All places of a call are taken at once, so none waits for another in a circle. */
export function createTurns(): InTurn {
  const turns = new Map<string, Promise<unknown>>();

  return (ids, call) => {
    const earlier = Promise.all(ids.map((id) => turns.get(id)));
    const result = earlier.then(call);
    const turn = result
      .catch(() => undefined)
      .then(() => {
        for (const id of ids) if (turns.get(id) === turn) turns.delete(id);
      });
    for (const id of ids) turns.set(id, turn);
    return result;
  };
}
