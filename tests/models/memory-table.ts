import { marshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDB } from "../../lib/dynamodb.ts";

/** An item, or what stands for one in a model: its attributes are compared and replaced, nothing else. */
export type Item = Record<string, unknown>;

interface Conditional {
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

export interface Update extends Conditional {
  UpdateExpression: string;
  ExpressionAttributeValues: Item;
}

/** One write: a command's, or one of a transaction's; a ConditionCheck has neither item nor update. */
export interface Write extends Conditional {
  is: "Put" | "Update" | "Delete" | "ConditionCheck";
  TableName: string;
  Key?: Item;
  Item?: Item;
  UpdateExpression?: string;
}

/** Several tables, items by the text of their key: never changed, only replaced. */
export type Tables = Readonly<Record<string, Readonly<Record<string, Readonly<Item>>>>>;

/** What DynamoDB says: an output, or an error with its members. */
export type Answer = { output: Item } | { error: { name: string } & Item };

type Evaluate = (item: Item, values: Item) => unknown;

const functions = `
  const exists = (value) => value !== undefined;
  const first = (...values) => values.find(exists);
  const contains = (list, value) => Boolean(list && new Set(list).has(value));`;
const words: Record<string, string> = {
  ...{ AND: "&&", OR: "||", NOT: "!", "=": "===", "<>": "!==" },
  ...{
    attribute_exists: "exists",
    attribute_not_exists: "!exists",
    if_not_exists: "first",
    contains: "contains",
  },
};

/** Compiles a condition, or the value of an assignment. table.test.ts compares them with DynamoDB's. */
const compile = memoise((text: string): Evaluate => {
  const code = text
    // NOT is said of the whole comparison that follows.
    .replace(/([:\w]+) (<=|>=|<>|=|<|>) ([:\w]+)/g, "($1 $2 $3)")
    .replace(/:?\w+|<>|<=|>=|=/g, (word) => {
      if (word.startsWith(":")) return `values["${word}"]`;
      return words[word] ?? (/^\w/.test(word) ? `item.${word}` : word);
    });
  return new Function("item", "values", `${functions} return ${code}`) as Evaluate;
});

const parseUpdate = memoise((text: string) => {
  const [, ...parts] = text.split(/(?:^| )(SET|REMOVE|ADD) /);
  const clauses = Object.fromEntries(parts.flatMap((name, i) => (i % 2 ? [] : [[name, parts[i + 1] ?? ""]])));
  // A comma inside of brackets divides nothing.
  const split = (list = "") => list.split(/, (?![^(]*\))/).filter(Boolean);
  const set = split(clauses.SET).map((part) => part.split(" = ") as [string, string]);
  const added = split(clauses.ADD).map((part) => part.split(" ") as [string, string]);
  return {
    set: set.map(([name, value]) => [name, compile(value)] as const),
    add: added.map(([name, value]) => [name, compile(value)] as const),
    remove: split(clauses.REMOVE),
  };
});

const nameAll = (text: string, { ExpressionAttributeNames: names = {} }: Conditional) =>
  text.replace(/#\w+/g, (name) => names[name] ?? name);

function isHeld(item: Item | null, write: Conditional): boolean {
  const { ConditionExpression, ExpressionAttributeValues = {} } = write;
  if (ConditionExpression === undefined) return true;
  return Boolean(compile(nameAll(ConditionExpression, write))(item ?? {}, ExpressionAttributeValues));
}

/** The item after an update; null where its condition refuses. Without a condition an update makes what is missing. */
export function applyUpdate(before: Item | null, update: Update): Item | null {
  if (!isHeld(before, update)) return null;
  const { set, add, remove } = parseUpdate(nameAll(update.UpdateExpression, update));
  const { ExpressionAttributeValues: values } = update;
  const after = { ...before };
  for (const [name, value] of set) after[name] = value(before ?? {}, values);
  for (const [name, value] of add) after[name] = Number(after[name] ?? 0) + Number(value({}, values));
  for (const name of remove) delete after[name];
  return after;
}

const conditionFailed = { name: "ConditionalCheckFailedException" };

export function refusal(item: Item | null): Error {
  return toError({ ...conditionFailed, ...(item && { Item: marshall(item) }) });
}

export function toError(error: { name: string } & Item): Error {
  return Object.assign(new Error(error.name), error);
}

/** The names of the attributes that are the key of each table. */
export type Keys = Readonly<Record<string, readonly string[]>>;

export function keyText(keys: Keys, table: string, item: Item): string {
  return (keys[table] ?? []).map((name) => item[name]).join(" ");
}

function findItem(
  tables: Tables,
  keys: Keys,
  { TableName, Key, Item }: Pick<Write, "TableName" | "Key" | "Item">,
) {
  const text = keyText(keys, TableName, Key ?? Item ?? {});
  return { text, before: tables[TableName]?.[text] ?? null };
}

/** The tables after one write; null where its condition refuses. */
function applyWrite(tables: Tables, keys: Keys, write: Write): Tables | null {
  const { text, before } = findItem(tables, keys, write);
  if (!isHeld(before, write)) return null;
  const { [text]: _, ...others } = tables[write.TableName] ?? {};
  const after = {
    Put: () => write.Item,
    Delete: () => null,
    ConditionCheck: () => before,
    Update: () => ({ ...write.Key, ...applyUpdate(before, write as Update) }),
  }[write.is]();
  return { ...tables, [write.TableName]: after ? { ...others, [text]: after } : others };
}

/** A command by its name, such as `UpdateCommand`. */
export interface Command {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the inputs of all commands
  input: any;
}

/** The writes of a command: all of them are done, or none (a batch is taken for one step, too). */
export function writesOf({ name, input }: Command): Write[] {
  if (name === "TransactWriteCommand") return input.TransactItems.map(toWrite);
  if (name === "BatchWriteCommand")
    return Object.entries<Item[]>(input.RequestItems).flatMap(([TableName, requests]) =>
      requests.map((request) => toWrite({ Delete: { TableName, ...(request.DeleteRequest as object) } })),
    );
  const is = name.replace("Command", "") as Write["is"];
  return ["Put", "Update", "Delete"].includes(is) ? [{ is, ...input }] : [];
}

function toWrite(item: Record<string, object>): Write {
  const [[is, write] = []] = Object.entries(item);
  return { is, ...write } as Write;
}

/** Executes a command: the tables after it, and the answer. */
export function execute(tables: Tables, keys: Keys, command: Command): { tables: Tables; answer: Answer } {
  const { name, input } = command;
  if (name === "GetCommand") {
    const { before } = findItem(tables, keys, input);
    return { tables, answer: { output: before ? { Item: before } : {} } };
  }
  if (name === "QueryCommand") {
    const [value] = Object.values(input.ExpressionAttributeValues);
    const all = tables[input.TableName] ?? {};
    const found = Object.keys(all).filter((key) => key.startsWith(`${value} `));
    const names = nameAll(input.ProjectionExpression, input).split(", ");
    return { tables, answer: { output: { Items: found.sort().map((key) => pick(all[key] ?? {}, names)) } } };
  }
  const writes = writesOf(command);
  if (writes.length === 0) throw new TypeError(`not understood: ${name}`);
  const before = writes.map((write) => findItem(tables, keys, write).before);
  const isRefused = writes.map((write) => applyWrite(tables, keys, write) === null);
  if (isRefused.includes(true)) return { tables, answer: { error: toRefusal() } };
  const after = writes.reduce((all, write) => applyWrite(all, keys, write) ?? all, tables);
  const [item] = writes.map((write) => findItem(after, keys, write).before);
  const returned = { ALL_NEW: item, ALL_OLD: before[0] }[input.ReturnValues as string];
  return { tables: after, answer: { output: returned ? { Attributes: returned } : {} } };

  function toRefusal() {
    const oldItem = ({ ReturnValuesOnConditionCheckFailure: asked }: Item, item: Item | null | undefined) =>
      asked === "ALL_OLD" && item ? { Item: marshall(item, { removeUndefinedValues: true }) } : {};
    if (name !== "TransactWriteCommand") return { ...conditionFailed, ...oldItem(input, before[0]) };
    const CancellationReasons = writes.map((write, i) =>
      isRefused[i]
        ? { Code: "ConditionalCheckFailed", ...oldItem({ ...write }, before[i]) }
        : { Code: "None" },
    );
    return { name: "TransactionCanceledException", CancellationReasons };
  }
}

const pick = (item: Item, names: string[]): Item =>
  Object.fromEntries(names.flatMap((name) => (name in item ? [[name, item[name]]] : [])));

/** A client of the sessions table in memory, items by session id: where a real engine would take hours. */
export function createMemoryClient(items: Map<string, Item>): DynamoDB {
  const keys = { sessions: ["sessionId"] };
  async function send({ input, constructor: { name } }: { input: Write; constructor: { name: string } }) {
    const { tables, answer } = execute({ sessions: Object.fromEntries(items) }, keys, { name, input });
    if ("error" in answer) throw toError(answer.error);
    items.clear();
    for (const [id, item] of Object.entries(tables.sessions ?? {})) items.set(id, item);
    return answer.output;
  }
  return { send } as unknown as DynamoDB;
}

const texts = new WeakMap<object, string>();
const shortTexts = new Map<string, string>();

/** A text that tells apart whatever is never changed: items, tables, answers. */
export function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const parts =
    value instanceof Set
      ? [...value].map(textOf).sort()
      : Object.keys(value)
          .sort()
          .map((name) => `${name}=${textOf((value as Item)[name])}`);
  const whole = `{${parts}}`;
  // A number for it: whole worlds are compared by what it is made of.
  const text = shortTexts.get(whole) ?? `#${shortTexts.size}`;
  shortTexts.set(whole, text);
  texts.set(value, text);
  return text;
}

function memoise<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const value = known.get(text) ?? make(text);
    known.set(text, value);
    return value;
  };
}
