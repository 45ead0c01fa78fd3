import type { Answer } from "../../local/wire.ts";
import { type Item, nameOf, type TableName } from "../support/database.ts";
import type { WireRequest } from "../support/wire.ts";
import type { Past, WireItem } from "./past.ts";

interface Written {
  item: WireItem;
  answeredAt: number;
}

export interface SeenSession {
  keyed: boolean;
  /** Its Session-Key is needed. */
  bound: boolean;
  epoch: number;
  first: Written;
  last: Written;
  /** When its deletion had been confirmed. */
  deletedAt?: number;
  chain: ReturnType<typeof createChain>;
}

export type Recorder = ReturnType<typeof createRecorder>;

/** Takes links from a refresh token to the next; answers whether each has one successor and one predecessor still. */
export function createChain() {
  const successors = new Map<string, string>();
  const predecessors = new Map<string, string>();
  return (from: string, to: string): boolean => {
    const isSound = (successors.get(from) ?? to) === to && (predecessors.get(to) ?? from) === from;
    successors.set(from, to);
    predecessors.set(to, from);
    return isSound;
  };
}

/** The attributes of a session that its login sets for good. */
const fixed = ["userId", "sessionId", "email", "keyed", "sessionKeyHash", "createdAt"];

/** Makes the recorder of a run. `tick` numbers what happens in it. */
export function createRecorder({ tick, past }: { tick: () => number; past: Past }) {
  const sessions = new Map<string, SeenSession>();
  const users = new Map<string, Written>();
  /** Whose address each was when the run began. */
  const userIds = new Map<string, string>();
  /** `userId change`, of every change of an account, with its event. */
  const changes = new Map<string, string>();
  const violations: { invariant: string; text: string }[] = [];
  const report = (invariant: string, text: string) => violations.push({ invariant, text });

  /** The parts of a request that were carried out, by table. */
  function note({ name, parameters }: WireRequest, sentAt: number, { status, body }: Answer): void {
    if (status !== 200) return;
    const [operation, table] = name.split(" ") as [string, TableName];
    const { Key, Item: put, RequestItems, TransactItems = [] } = parameters;
    if (operation === "PutItem") noteWrite(table, put, sentAt);
    if (operation === "UpdateItem") noteWrite(table, JSON.parse(body).Attributes, sentAt);
    if (operation === "DeleteItem") noteDeletion(table, Key);
    for (const { Update } of TransactItems) if (Update) noteRaise(Update, sentAt);
    if (operation !== "BatchWriteItem") return;
    const left = JSON.stringify(JSON.parse(body).UnprocessedItems ?? {});
    for (const { DeleteRequest } of RequestItems[nameOf(table)]) {
      if (!left.includes(DeleteRequest.Key.sessionId.S)) noteDeletion(table, DeleteRequest.Key);
    }
  }

  /** A transaction raises the user's epoch; the end of all others carries a session over to it. Its answer shows no item. */
  function noteRaise({ TableName, Key, ExpressionAttributeValues: values }: Item, sentAt: number): void {
    const isUser = TableName === nameOf("users");
    const last = isUser ? users.get(Key.userId.S)?.item : sessions.get(Key.sessionId.S)?.last.item;
    const changed = isUser
      ? { sessionEpoch: { N: String(numberOf(values[":epoch"]) + 1) }, lastChange: values[":change"] }
      : { sessionEpoch: values[":to"] };
    noteWrite(isUser ? "users" : "sessions", { ...last, ...Key, ...changed }, sentAt);
  }

  function noteWrite(table: TableName, item: WireItem, sentAt: number): void {
    const written = { item, answeredAt: tick() };
    const { userId, sessionId } = item;
    if (table !== "sessions" && table !== "users") return;
    past.note(nameOf(table), table === "users" ? { userId } : { userId, sessionId }, item);
    if (table === "users") noteUser(String(userId?.S), written, sentAt);
    else noteSession(String(sessionId?.S), written, sentAt);
  }

  function noteSession(sessionId: string, written: Written, sentAt: number): void {
    const { item } = written;
    const seen = sessions.get(sessionId) ?? {
      ...{ keyed: item.keyed?.BOOL === true, bound: item.sessionKeyHash !== undefined, epoch: 0 },
      ...{ first: written, last: written, chain: createChain() },
    };
    sessions.set(sessionId, seen);
    // The end of all others carries it on.
    seen.epoch = Math.max(seen.epoch, numberOf(item.sessionEpoch));
    if (seen.deletedAt !== undefined && seen.deletedAt < sentAt)
      report("I4", `session ${sessionId} was written after it had been deleted`);
    for (const name of fixed) {
      if (JSON.stringify(item[name]) !== JSON.stringify(seen.first.item[name]))
        report("I5", `${name} of session ${sessionId} changed`);
    }
    if (seen.last.answeredAt < sentAt && numberOf(item.rotatedAt) < numberOf(seen.last.item.rotatedAt))
      report("I5", `rotatedAt of session ${sessionId} went back`);
    const [previous, current] = [item.previousTokenHash?.S, item.tokenHash?.S];
    if (previous !== undefined && current !== undefined && !seen.chain(previous, current))
      report("I3", `a token of session ${sessionId} was stored with two successors or predecessors`);
    seen.last = written;
  }

  function noteUser(userId: string, written: Written, sentAt: number): void {
    const last = users.get(userId);
    users.set(userId, written);
    const { at, id, event } = (written.item.lastChange as Item | undefined)?.M ?? {};
    if (id) changes.set(`${userId} ${at.N}#${id.S}`, event.S);
    const [epoch, swept] = [numberOf(written.item.sessionEpoch), numberOf(written.item.sweptEpoch)];
    if (swept > epoch) report("I6", `the sweep of ${userId} is ahead of the epoch`);
    if (!last || last.answeredAt >= sentAt) return;
    const stepOf = ({ item: { totp } }: Written) => numberOf((totp as Item | undefined)?.M.step);
    if (stepOf(written) < stepOf(last)) report("I17", `the step of ${userId} went back`);
    for (const [passkeyId, before] of Object.entries(passkeysOf(last.item)))
      if (challengeOf(passkeysOf(written.item)[passkeyId]) < challengeOf(before))
        report("I17", `the time of a challenge of ${userId} went back`);
    if (epoch < numberOf(last.item.sessionEpoch)) report("I6", `the epoch of ${userId} went back`);
    if (swept < numberOf(last.item.sweptEpoch)) report("I6", `the swept epoch of ${userId} went back`);
  }

  function noteDeletion(table: TableName, key: Item): void {
    past.note(nameOf(table), key, undefined);
    const seen = table === "sessions" ? sessions.get(key.sessionId.S) : undefined;
    if (seen) seen.deletedAt ??= tick();
  }

  return {
    sessions,
    users,
    userIds,
    changes,
    violations,
    report,
    noteDeletion,
    noteWrite,

    epochOf(email: string): number {
      return numberOf(users.get(userIds.get(email) ?? "")?.item.sessionEpoch);
    },

    watch(request: WireRequest): WireRequest {
      return {
        ...request,
        async deliver(changed) {
          const sentAt = tick();
          const answer = await request.deliver(changed);
          note(request, sentAt, answer);
          return answer;
        },
      };
    },
  };
}

const passkeysOf = ({ passkeys }: WireItem): Record<string, Item> => (passkeys as Item | undefined)?.M ?? {};
/** One that is gone is not judged. */
const challengeOf = (passkey: Item | undefined): number =>
  passkey ? numberOf(passkey.M.challengedAt) : Number.POSITIVE_INFINITY;

export function numberOf(attribute: { N?: string } | undefined): number {
  return Number(attribute?.N ?? 0);
}
