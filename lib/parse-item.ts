import * as v from "valibot";
import type { Item } from "./dynamodb.ts";
import { AppError } from "./errors.ts";

/** A text in quotes; anything else by its type alone: not every map can be made a text. */
const describe = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value).slice(0, 40) : typeof value;

/** How the items of a table are read. */
export interface ItemType<Schema extends v.GenericSchema> {
  /** What the log calls one: `session`. */
  name: string;
  schema: Schema;
  /** Attributes that tell an operator which item it is; the log gets 40 characters of each. */
  keyNames: string[];
}

/**
 * Reads an item as its schema has it; attributes that the schema does not name are left out. A damaged or hand-written
 * item is for an operator to mend: throws AppError `internal_error`, with the item's key and the attributes at fault
 * for the log.
 */
export function parseItem<Schema extends v.GenericSchema>(
  { name, schema, keyNames }: ItemType<Schema>,
  item: Item,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, item);
  if (result.success) return result.output;
  const key = keyNames.map((keyName) => `${keyName} ${describe(item[keyName])}`).join(", ");
  const faults = new Set(result.issues.map((issue) => v.getDotPath(issue)));
  throw new AppError("internal_error", {
    cause: new TypeError(`the ${name} with ${key} is damaged: ${[...faults].join(", ")}`),
  });
}
