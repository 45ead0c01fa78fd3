import { type Ask, type createItems, type Place, toId } from "./items.ts";
import { type Answer, done, type Item, isConditionFailed, type Parameters, refuse } from "./wire.ts";

/** One of a transaction's members: its kind, what the single operation would name, and the place of its item. */
interface Member extends Place {
  kind: string;
  parameters: Parameters;
}

/** Does something in the turns of items and of further ids. */
type Write = (places: Place[], call: () => Promise<Answer>, ids: string[]) => Promise<Answer>;

const operations: Record<string, string> = { Put: "PutItem", Update: "UpdateItem", Delete: "DeleteItem" };

/**
 * TransactWriteItems for an engine that has none: all or nothing, in the turns of all items. So nothing reads or writes them
 * meanwhile, and no member ever meets a conflict (`TransactionConflict`), as it may in DynamoDB.
 */
export function createTransact(ask: Ask, items: ReturnType<typeof createItems>, write: Write) {
  /** What was asked for under each ClientRequestToken. DynamoDB knows one for ten minutes; here none is forgotten. */
  const tokens = new Map<string, { contents: string; isDone: boolean }>();

  return async ({ ClientRequestToken: token, ...parameters }: Parameters): Promise<Answer> => {
    const members = listMembers(parameters);
    if (!members) return refuse("ValidationException", { message: "TransactItems must be 1 to 100 writes" });
    const places = await Promise.all(members.map(([, named]) => items.locate(named)));
    const found = members.flatMap(([kind, parameters], index) => {
      const place = places[index];
      return place ? [{ kind, parameters, ...place }] : [];
    });
    if (found.length < members.length)
      return refuse("ResourceNotFoundException", { message: "Requested resource not found" });
    if (new Set(found.map(toId)).size < found.length)
      return refuse("ValidationException", {
        message: "Transaction request cannot include multiple operations on one item",
      });
    if (!token) return write(found, () => writeAll(found), []);
    return write(found, () => once(token, JSON.stringify(parameters), () => writeAll(found)), [token]);
  };

  async function once(token: string, contents: string, call: () => Promise<Answer>): Promise<Answer> {
    const known = tokens.get(token);
    if (known && known.contents !== contents)
      return refuse("IdempotentParameterMismatchException", {
        message: "The contents under this token were others",
      });
    if (known?.isDone) return done();
    const answer = await call();
    tokens.set(token, { contents, isDone: answer.status === 200 });
    return answer;
  }

  async function writeAll(members: Member[]): Promise<Answer> {
    const old = await Promise.all(members.map(items.find));
    const answers = await Promise.all(members.map((member, index) => writeOne(member, old[index])));
    const reasons = members.map(({ parameters }, index) => toReason(answers[index], parameters, old[index]));
    if (reasons.every(({ Code }) => Code === "None")) return done();

    await Promise.all(
      members.map(async ({ kind, tableName, key }, index) => {
        if (kind !== "ConditionCheck" && reasons[index]?.Code === "None")
          await putBack(tableName, key, old[index]);
      }),
    );
    const codes = reasons.map(({ Code }) => Code).join(", ");
    return refuse("TransactionCanceledException", {
      Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
      CancellationReasons: reasons,
    });
  }

  function writeOne({ kind, parameters }: Member, Item: Item | undefined): Promise<Answer> {
    const operation = operations[kind];
    if (operation) return ask(operation, parameters);
    // A ConditionCheck: a write on that condition that changes nothing.
    const { Key, ...others } = parameters;
    return Item ? ask("PutItem", { ...others, Item }) : ask("DeleteItem", parameters);
  }

  function putBack(TableName: string, Key: Item, Item: Item | undefined): Promise<Answer> {
    return Item ? ask("PutItem", { TableName, Item }) : ask("DeleteItem", { TableName, Key });
  }
}

/** The members by their kind; undefined if they are no such list. */
function listMembers({ TransactItems: items }: Parameters): [kind: string, Parameters][] | undefined {
  if (!Array.isArray(items) || items.length < 1 || items.length > 100) return undefined;
  const members = items.map((item: Record<string, Parameters>) => Object.entries(item ?? {}));
  const isMember = ([first, ...more]: [string, Parameters][]) =>
    first && more.length === 0 && (first[0] in operations || first[0] === "ConditionCheck");
  return members.every(isMember) ? members.flat() : undefined;
}

interface Reason {
  Code: string;
  Message?: string;
  Item?: Item;
}

function toReason(answer: Answer | undefined, parameters: Parameters, old: Item | undefined): Reason {
  if (!answer || answer.status === 200) return { Code: "None" };
  const { message: Message } = JSON.parse(answer.body);
  if (!isConditionFailed(answer)) return { Code: "ValidationError", Message };
  const isAsked = parameters.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
  return { Code: "ConditionalCheckFailed", Message, ...(isAsked && old && { Item: old }) };
}
