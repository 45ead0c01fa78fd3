import { type Command, type Write, writesOf } from "../memory-table.ts";

/** A command without one of its parts; undefined: it is not sent at all. */
export interface Mistake {
  name: string;
  command: Command | undefined;
}

/** Every part that can be left out of a command that writes. */
export function mistakesIn(flow: string, command: Command): Mistake[] {
  const { name, input } = command;
  if (name === "BatchWriteCommand") return [{ name: `${flow}: deletions`, command: undefined }];
  const writes = writesOf(command);
  const titles = writes.map(({ is, TableName }) => `${flow}: ${is} ${TableName}`);
  return writes.flatMap((write, place) => {
    const isOneOfMany = titles.filter((other) => other === titles[place]).length > 1;
    const title = isOneOfMany ? `${titles[place]} ${place}` : titles[place];
    return [
      { name: `${title}`, command: replace(place) },
      ...partsOf(write).map(({ part, less }) => ({
        name: `${title}: ${part}`,
        command: replace(place, less),
      })),
    ];
  });

  function replace(place: number, less?: Write): Command | undefined {
    const { is = "", ...changed } = less ?? {};
    if (name !== "TransactWriteCommand") return less && { name, input: changed };
    const TransactItems = input.TransactItems.flatMap((item: object, other: number) => {
      if (other !== place) return [item];
      return less ? [{ [is]: changed }] : [];
    });
    return { name, input: { ...input, TransactItems } };
  }
}

/** The conditions and assignments of a write, and the write without each. */
function partsOf(write: Write): { part: string; less: Write }[] {
  const [, sets = "", rest = ""] =
    /^SET (.*?)((?: (?:REMOVE|ADD) .*)?)$/.exec(write.UpdateExpression ?? "") ?? [];
  const conditions = split(write.ConditionExpression, " AND ").map(({ part, others }) => {
    return { part, less: { ...write, ConditionExpression: others.join(" AND ") || undefined } };
  });
  const assignments = split(sets, ", ").flatMap(({ part, others }) => {
    const UpdateExpression = `SET ${others.join(", ")}${rest}`;
    return others.length > 0 ? [{ part, less: { ...write, UpdateExpression } }] : [];
  });
  const removals = rest ? [{ part: rest.trim(), less: { ...write, UpdateExpression: `SET ${sets}` } }] : [];
  return [...conditions, ...assignments, ...removals];
}

/** Not inside of brackets. */
function split(text: string | undefined, by: string): { part: string; others: string[] }[] {
  const parts = text ? text.split(new RegExp(`${by}(?![^(]*\\))`)) : [];
  return parts.map((part) => ({ part, others: parts.filter((other) => other !== part) }));
}
