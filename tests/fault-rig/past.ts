import type { Answer } from "../../local/wire.ts";
import type { Item } from "../support/database.ts";
import type { WireRequest } from "../support/wire.ts";

export type WireItem = Record<string, { S?: string; N?: string; BOOL?: boolean }>;

type Version = { since: number; item: WireItem | undefined };

export type Past = ReturnType<typeof createPast>;

/** What a read without the strong flag does not see yet: as much as happens within about twenty requests. */
const staleTicks = 100;

/** Makes a memory of the items that were written, by table. It knows nothing of what was there before. */
export function createPast(now: () => number) {
  const tables: Record<string, Map<string, Version[]>> = {};
  const itemThen = (versions: Version[]) =>
    versions.findLast(({ since }) => since <= now() - staleTicks)?.item;

  return {
    note(table: string, key: Item, item: WireItem | undefined): void {
      tables[table] ??= new Map();
      const before = tables[table].get(textOf(key)) ?? [];
      tables[table].set(textOf(key), [...before.slice(-9), { since: now(), item }]);
    },

    async read({ name, parameters }: WireRequest): Promise<Answer | undefined> {
      const table = tables[parameters.TableName];
      if (parameters.ConsistentRead === true || !table) return undefined;
      const versions = name.startsWith("GetItem") && table.get(textOf(parameters.Key));
      if (versions) return { status: 200, body: JSON.stringify({ Item: itemThen(versions) }) };
      if (name !== "Query sessions") return undefined;
      const userId = Object.values(parameters.ExpressionAttributeValues as WireItem)[0]?.S;
      const Items = [...table.values()].map(itemThen).filter((item) => item?.userId?.S === userId);
      return { status: 200, body: JSON.stringify({ Items, Count: Items.length }) };
    },
  };
}

const textOf = (key: Item): string =>
  Object.values(key as WireItem)
    .map(({ S }) => S)
    .join(" ");
