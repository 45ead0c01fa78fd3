import type { Answer, Item } from "../support/database.ts";
import type { WireRequest } from "../support/wire.ts";

/** An item as DynamoDB's JSON has it. */
export type WireItem = Record<string, { S?: string; N?: string; BOOL?: boolean }>;

interface Version {
  since: number;
  item: WireItem | undefined;
}

/** What the tables held some time ago. */
export type Past = ReturnType<typeof createPast>;

/** So old may be what a read without the strong flag sees. */
const staleMs = 1_000;

/** Makes a memory of the items that were written, by table. It knows nothing of what was there before. */
export function createPast() {
  const tables = new Map<string, Map<string, Version[]>>();

  return {
    /** Notes that an item was written, or deleted. */
    note(table: string, key: Item, item: WireItem | undefined): void {
      const items = tables.get(table) ?? new Map<string, Version[]>();
      tables.set(table, items);
      const since = performance.now();
      const all = items.get(keyText(key)) ?? [];
      // The last one before the time that can be asked for is the oldest that matters.
      const first = all.findLastIndex((version) => version.since <= since - staleMs);
      items.set(keyText(key), [...all.slice(Math.max(0, first)), { since, item }]);
    },

    /** Answers a read that does not ask for strong consistency; undefined for any other request. */
    read({ name, parameters }: WireRequest): Promise<Answer> | undefined {
      if (parameters.ConsistentRead === true) return undefined;
      if (name.startsWith("GetItem")) {
        const versions = tables.get(parameters.TableName)?.get(keyText(parameters.Key));
        return versions && answer({ Item: itemThen(versions) });
      }
      if (name !== "Query sessions") return undefined;
      const userId = Object.values(parameters.ExpressionAttributeValues as WireItem)[0]?.S;
      const all = [...(tables.get(parameters.TableName)?.values() ?? [])].map(itemThen);
      const Items = all.filter((item) => item?.userId?.S === userId);
      return answer({ Items, Count: Items.length, ScannedCount: Items.length });
    },
  };
}

function itemThen(versions: Version[]): WireItem | undefined {
  const then = performance.now() - staleMs;
  return versions.findLast(({ since }) => since <= then)?.item;
}

async function answer(body: object): Promise<Answer> {
  return { status: 200, body: JSON.stringify(body) };
}

const keyText = (key: Item): string =>
  Object.values(key as WireItem)
    .map(({ S }) => S)
    .join(" ");
