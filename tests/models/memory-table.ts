import { marshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDB } from "../../lib/dynamodb.ts";

/** An item, or what stands for one in a model: its attributes are compared and replaced, nothing else. */
export type Item = Record<string, unknown>;

export interface Update {
  UpdateExpression: string;
  ConditionExpression?: string | undefined;
  ExpressionAttributeValues: Item;
}

type Condition = (item: Item, values: Item) => boolean;
const conditions = new Map<string, Condition>();

/** Reads the conditions that lib/sessions/store.ts sends. rotation-table.test.ts compares them with DynamoDB's. */
function compile(text: string): Condition {
  const known = conditions.get(text);
  if (known) return known;
  const code = text
    .replace(/(\w+) (=|<=|>=|<|>) (:\w+)/g, (_, name, is, value) => {
      return `(item.${name} ${is === "=" ? "===" : is} values["${value}"])`;
    })
    .replace(/attribute_exists\((\w+)\)/g, "(item.$1 !== undefined)")
    .replace(/attribute_not_exists\((\w+)\)/g, "(item.$1 === undefined)")
    .replaceAll(" AND ", " && ")
    .replaceAll(" OR ", " || ");
  const condition = new Function("item", "values", `return ${code}`) as Condition;
  conditions.set(text, condition);
  return condition;
}

const assignment = /(\w+) = (?:if_not_exists\((\w+), )?(:\w+)/g;

/** The item after an update; null where its condition refuses. Without a condition an update makes what is missing. */
export function applyUpdate(before: Item | null, update: Update): Item | null {
  const { UpdateExpression, ConditionExpression, ExpressionAttributeValues: values } = update;
  if (ConditionExpression && !compile(ConditionExpression)(before ?? {}, values)) return null;
  const [, sets = "", removed] = /^SET (.*?)(?: REMOVE (.*))?$/.exec(UpdateExpression) ?? [];
  const after = { ...before };
  for (const [, name = "", other, value = ""] of sets.matchAll(assignment))
    after[name] = (other && before?.[other]) ?? values[value];
  for (const name of removed?.split(", ") ?? []) delete after[name];
  return after;
}

export function refusal(item: Item | null): Error {
  const name = "ConditionalCheckFailedException";
  return Object.assign(new Error(name), { name, ...(item && { Item: marshall(item) }) });
}

/** A client of the sessions table in memory, items by session id: where a real engine would take hours. */
export function createMemoryClient(items: Map<string, Item>): DynamoDB {
  async function send({ input }: { input: Partial<Update> & { Key: Item } }) {
    const id = String(input.Key.sessionId);
    const before = items.get(id) ?? null;
    if (!input.UpdateExpression) return { deleted: items.delete(id) };
    const after = applyUpdate(before, input as Update);
    if (!after) throw refusal(before);
    items.set(id, after);
    return { Attributes: after };
  }
  return { send } as unknown as DynamoDB;
}
