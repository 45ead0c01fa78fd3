import { type Answer, type Item, nameOf, type TableName, tableNames } from "../support/database.ts";
import type { WireRequest } from "../support/wire.ts";
import type { Past, WireItem } from "./past.ts";

/** Something that must not be, and which invariant (invariants.ts) says so. */
export interface Violation {
  invariant: string;
  text: string;
}

/** What the way to the tables has seen of one session. */
export interface SeenSession {
  keyed: boolean;
  /** The user's epoch at its login. */
  epoch: number;
  first: Written;
  last: Written;
  /** When its deletion had been confirmed. */
  deletedAt?: number;
  /** Hashes of refresh tokens: of each its successor, and of each its predecessor. */
  successors: Map<string, string>;
  predecessors: Map<string, string>;
}

interface Written {
  item: WireItem;
  answeredAt: number;
}

/** What the requests that were applied did to the tables. */
export type Recorder = ReturnType<typeof createRecorder>;

/** From here on the SDK's time-out (0.8 s) is near. */
const slowMs = 400;

/** The attributes of a session that its login sets for good. */
const fixed = ["userId", "sessionId", "email", "keyed", "createdAt", "sessionEpoch"];

/** Makes the recorder of a run. `tick` numbers what happens in it. */
export function createRecorder({ tick, past }: { tick: () => number; past: Past }) {
  const sessions = new Map<string, SeenSession>();
  const users = new Map<string, Written>();
  const violations: Violation[] = [];
  const deliveries = { all: 0, slow: 0 };
  const report = (invariant: string, text: string) => violations.push({ invariant, text });

  /** The parts of a request that were carried out, by table. */
  function note(request: WireRequest, sentAt: number, { status, body }: Answer): void {
    if (status !== 200) return;
    const [operation, table] = request.name.split(" ") as [string, TableName];
    const { Key, Item: put, RequestItems } = request.parameters;
    if (operation === "PutItem") noteWrite(table, put, put, sentAt);
    if (operation === "UpdateItem") noteWrite(table, Key, JSON.parse(body).Attributes, sentAt);
    if (operation === "DeleteItem") noteDeletion(table, Key);
    if (operation !== "BatchWriteItem") return;
    const left = JSON.stringify(JSON.parse(body).UnprocessedItems ?? {});
    for (const { DeleteRequest } of RequestItems[nameOf(table)]) {
      if (!left.includes(DeleteRequest.Key.sessionId.S)) noteDeletion(table, DeleteRequest.Key);
    }
  }

  function noteWrite(table: TableName, key: Item, item: WireItem, sentAt: number): void {
    const written = { item, answeredAt: tick() };
    if (table === "sessions") {
      past.note(tableNames.sessions, { userId: key.userId, sessionId: key.sessionId }, item);
      noteSession(String(item.sessionId?.S), written, sentAt);
    }
    if (table === "users") {
      past.note(tableNames.users, { email: key.email }, item);
      noteUser(written, sentAt);
    }
  }

  function noteSession(sessionId: string, written: Written, sentAt: number): void {
    const { item } = written;
    const seen = sessions.get(sessionId) ?? {
      keyed: item.keyed?.BOOL === true,
      epoch: numberOf(item.sessionEpoch),
      first: written,
      last: written,
      successors: new Map<string, string>(),
      predecessors: new Map<string, string>(),
    };
    sessions.set(sessionId, seen);
    if (seen.deletedAt !== undefined && seen.deletedAt < sentAt)
      report("I4", `session ${sessionId} was written after it had been deleted`);
    for (const name of fixed) {
      if (JSON.stringify(item[name]) !== JSON.stringify(seen.first.item[name]))
        report("I5", `${name} of session ${sessionId} changed`);
    }
    if (seen.last.answeredAt < sentAt && numberOf(item.rotatedAt) < numberOf(seen.last.item.rotatedAt))
      report("I5", `rotatedAt of session ${sessionId} went back`);
    noteSuccessor(sessionId, seen, item);
    seen.last = written;
  }

  function noteSuccessor(sessionId: string, seen: SeenSession, item: WireItem): void {
    const [previous, current] = [item.previousTokenHash?.S, item.tokenHash?.S];
    if (previous === undefined || current === undefined) return;
    const successor = seen.successors.get(previous) ?? current;
    const predecessor = seen.predecessors.get(current) ?? previous;
    if (successor !== current) report("I3", `a token of session ${sessionId} was stored with two successors`);
    if (predecessor !== previous) report("I3", `a token of session ${sessionId} has two predecessors`);
    seen.successors.set(previous, current);
    seen.predecessors.set(current, previous);
  }

  function noteUser(written: Written, sentAt: number): void {
    const { item } = written;
    const email = String(item.email?.S);
    const last = users.get(email);
    users.set(email, written);
    const [epoch, swept] = [numberOf(item.sessionEpoch), numberOf(item.sweptEpoch)];
    if (swept > epoch) report("I6", `the sweep of ${email} is ahead of the epoch`);
    if (!last || last.answeredAt >= sentAt) return;
    if (epoch < numberOf(last.item.sessionEpoch)) report("I6", `the epoch of ${email} went back`);
    if (swept < numberOf(last.item.sweptEpoch)) report("I6", `the swept epoch of ${email} went back`);
  }

  function noteDeletion(table: TableName, key: Item): void {
    past.note(nameOf(table), key, undefined);
    if (table !== "sessions") return;
    const seen = sessions.get(key.sessionId.S);
    if (seen) seen.deletedAt ??= tick();
  }

  return {
    sessions,
    violations,

    /** The share of requests that the engine itself was slow with: this machine has too much to do. */
    slowShare: (): number => deliveries.slow / Math.max(1, deliveries.all),

    /** The epoch that the user is known to have reached. */
    epochOf: (email: string): number => numberOf(users.get(email)?.item.sessionEpoch),

    /** The request, with every delivery of it recorded. */
    watch(request: WireRequest): WireRequest {
      return {
        ...request,
        async deliver(changed) {
          const sentAt = tick();
          const start = performance.now();
          const answer = await request.deliver(changed);
          deliveries.all++;
          if (performance.now() - start > slowMs) deliveries.slow++;
          note(request, sentAt, answer);
          return answer;
        },
      };
    },

    noteDeletion,
  };
}

/** A number attribute; 0 where there is none. */
export function numberOf(attribute: { N?: string } | undefined): number {
  return Number(attribute?.N ?? 0);
}
