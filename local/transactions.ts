import type { Answer, Item, Parameters } from "./engine-door.ts";

/** One member of a transaction, with the key of its item. */
export interface Member {
  kind: string;
  parameters: Parameters;
  key: Item;
}

/** What a transaction needs of the engine. */
interface Engine {
  ask(operation: string, parameters: object): Promise<Answer>;
  findItem(tableName: string | undefined, key: Item): Promise<Item | undefined>;
}

const operations: Record<string, string> = { Put: "PutItem", Update: "UpdateItem", Delete: "DeleteItem" };

/** Lists the members of a transaction by their kind; undefined if they are no such list. */
export function listMembers({ TransactItems }: Parameters): [kind: string, Parameters][] | undefined {
  const items = Array.isArray(TransactItems) ? TransactItems : [];
  const members = items.map((item: Record<string, Parameters>) => Object.entries(item ?? {}));
  const isMember = ([[kind = ""] = [], ...more]: unknown[][]) =>
    more.length === 0 && (String(kind) in operations || kind === "ConditionCheck");
  return members.length > 0 && members.length <= 100 && members.every(isMember) ? members.flat() : undefined;
}

/**
 * Writes all or nothing: where one member is refused, what the others wrote is taken back. The caller has the turns of
 * all items, so nothing reads or writes them meanwhile, and no member ever meets a conflict, which DynamoDB has.
 */
export async function writeAll(members: Member[], { ask, findItem }: Engine): Promise<Answer> {
  const before = await Promise.all(members.map(({ parameters, key }) => findItem(parameters.TableName, key)));
  const answers = await Promise.all(
    members.map(({ kind, parameters }, index) =>
      kind === "ConditionCheck" ? check(parameters, before[index]) : ask(operations[kind] ?? "", parameters),
    ),
  );
  if (answers.every(isDone)) return { status: 200, body: "{}" };

  const written = members.flatMap(({ kind, ...member }, index) =>
    kind !== "ConditionCheck" && isDone(answers[index]) ? [{ ...member, Item: before[index] }] : [],
  );
  await Promise.all(
    written.map(({ parameters: { TableName }, key: Key, Item }) =>
      Item ? ask("PutItem", { TableName, Item }) : ask("DeleteItem", { TableName, Key }),
    ),
  );
  return (
    answers.find((answer) => !isDone(answer) && !isConditionFailed(answer)) ??
    cancel(
      answers.map((answer, index) =>
        isDone(answer) ? { Code: "None" } : toReason(members[index]?.parameters, before[index]),
      ),
    )
  );

  /** A write on the member's condition that changes nothing. */
  function check({ Key, ...parameters }: Parameters, Item: Item | undefined): Promise<Answer> {
    return Item ? ask("PutItem", { ...parameters, Item }) : ask("DeleteItem", { ...parameters, Key });
  }
}

const isDone = (answer: Answer | undefined) => answer?.status === 200;

export const isConditionFailed = ({ status, body }: Answer) =>
  status === 400 && body.includes("ConditionalCheckFailedException");

interface Reason {
  Code: string;
  Message?: string;
  Item?: Item;
}

function toReason(parameters: Parameters | undefined, Item: Item | undefined): Reason {
  const isAsked = parameters?.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
  return {
    Code: "ConditionalCheckFailed",
    Message: "The conditional request failed",
    ...(isAsked && Item && { Item }),
  };
}

function cancel(reasons: Reason[]): Answer {
  const codes = reasons.map(({ Code }) => Code).join(", ");
  return refuse(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

/** A refusal as DynamoDB words it. */
export function refuse(type: string, message: string, more = {}): Answer {
  const space =
    type === "ValidationException" ? "com.amazon.coral.validate" : "com.amazonaws.dynamodb.v20120810";
  return { status: 400, body: JSON.stringify({ __type: `${space}#${type}`, message, ...more }) };
}
