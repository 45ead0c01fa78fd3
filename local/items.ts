import type { Answer, Item, Parameters } from "./wire.ts";

/** Where an item is, or would be. */
export interface Place {
  tableName: string;
  key: Item;
}

/** Sends an operation to the engine. */
export type Ask = (operation: string, parameters: object) => Promise<Answer>;

/** Finds the items that requests are about. */
export function createItems(ask: Ask) {
  const keyNames = new Map<string, string[]>();

  async function findKeyNames(TableName: string): Promise<string[]> {
    const known = keyNames.get(TableName);
    if (known) return known;
    const { Table } = JSON.parse((await ask("DescribeTable", { TableName })).body);
    const names = (Table?.KeySchema ?? []).map(
      ({ AttributeName }: { AttributeName: string }) => AttributeName,
    );
    // A table that is not there yet may come.
    if (names.length > 0) keyNames.set(TableName, names);
    return names;
  }

  /** The place that `Key` or `Item` names; undefined if none is named, or there is no such table. */
  async function locate({ TableName, Key, Item }: Parameters): Promise<Place | undefined> {
    const attributes = Key ?? Item;
    if (!attributes || !TableName) return undefined;
    const names = await findKeyNames(TableName);
    const key = Object.fromEntries(names.map((name) => [name, attributes[name]]));
    return names.length > 0 ? { tableName: TableName, key } : undefined;
  }

  return {
    locate,

    /** The places of a BatchWriteItem. */
    async locateAll({ RequestItems }: Parameters): Promise<Place[]> {
      const parts = Object.entries(RequestItems ?? {}).flatMap(([TableName, requests]) =>
        (Array.isArray(requests) ? requests : []).map((request) => ({
          ...(request?.PutRequest ?? request?.DeleteRequest),
          TableName,
        })),
      );
      const places = await Promise.all(parts.map(locate));
      return places.filter((place) => place !== undefined);
    },

    async find({ tableName, key }: Place): Promise<Item | undefined> {
      const { body } = await ask("GetItem", { TableName: tableName, Key: key, ConsistentRead: true });
      return JSON.parse(body).Item;
    },
  };
}

/** A text that is the same for the same place. */
export const toId = ({ tableName, key }: Place): string => JSON.stringify([tableName, key]);
