import { createHash } from "node:crypto";
import type { DynamoDB } from "../../../lib/dynamodb.ts";
import { AppError } from "../../../lib/errors.ts";
import { createSessionStore } from "../../../lib/sessions/store.ts";
import { deriveSuccessor, hashToken } from "../../../lib/tokens/refresh-token.ts";
import { refusal, type Update } from "../memory-table.ts";
import { createUseCases, plainPair } from "../use-cases.ts";
import {
  type Answer,
  answerText,
  type Call,
  type Item,
  isTime,
  type Request,
  successorName,
  type Token,
} from "./world.ts";

/** A request as far as the use case can see it: what it presents, and what the store has answered so far. */
export type Trace = Pick<Request, "kind" | "presented" | "keys" | "sessionKey" | "salt" | "answers">;

/** How a request ended: by what pair, refused, or (a logout) done. */
export type Outcome = { token: Token | "unknown"; rotatedAt: number | null } | { code: string } | "done";

export type Step = { call: Call } | { outcome: Outcome };

export type NextStep = (trace: Trace) => Step | Promise<Step>;

export interface Lifetimes {
  refreshWindowSeconds: number;
  refreshMinIntervalSeconds: number;
  rearmAfterSeconds: number;
  maxRearms: number;
  refreshTokenTtlSeconds: number;
  /** The session is bound to the key of a browser: what a request has as its Session-Key is the proof of that key. */
  isDeviceBound: boolean;
}

/** The clock that every request reads here; its times are told relative to it. */
const clock = 1_000_000_000;
const key = { userId: "user", sessionId: "session" };

/**
 * Drives the real use cases over the real store: a request is run from its start over the answers it has had so far,
 * until it sends another command or ends. It is a function of its trace but for its salt, so each trace is run once.
 */
export function createNextStep(lifetimes: Lifetimes): NextStep {
  const known = new Map<string, Step | Promise<Step>>();

  return function nextStep(trace) {
    const { kind, presented, keys, sessionKey, salt, answers } = trace;
    const sent = `${kind} ${presented} ${keys.key} ${keys.previous} ${sessionKey}`;
    const name = `${sent} ${salt} ${answers.map(answerText).join(" ")}`;
    const step = known.get(name);
    if (step) return step;
    const running = run(trace, lifetimes).then((found) => {
      known.set(name, found);
      return found;
    });
    known.set(name, running);
    return running;
  };
}

function run(trace: Trace, lifetimes: Lifetimes): Promise<Step> {
  const values = createConcreteValues(trace);
  const { promise, resolve, reject } = Promise.withResolvers<Step>();
  const answers = [...trace.answers];

  /** Answers a command from the trace; the first that the trace does not know is the next step. */
  function send({ input }: { input: Partial<Update> & { Key: typeof key } }): Promise<unknown> {
    try {
      if (JSON.stringify(input.Key) !== JSON.stringify(key)) throw new Error("a command for another session");
      const call = input.UpdateExpression ? values.toCall(input as Update) : { is: "delete" as const };
      const next = answers.shift();
      if (next) return values.toAnswer(next);
      resolve({ call });
    } catch (error) {
      // The store would take it for a database that is away.
      reject(error);
    }
    return new Promise(() => {});
  }

  const sessions = createSessionStore({ send } as unknown as DynamoDB, "sessions");
  const { refresh, rotate, logout } = createUseCases({ sessions, clock: () => clock, settings: lifetimes });
  const claims = { sub: key.userId, sid: key.sessionId, auth_time: clock - 1000 };
  const pair = plainPair(claims, values.presented);
  const { sessionKey: deviceKey, ...keys } = values.keys;
  const renew = (presented: typeof pair) =>
    lifetimes.isDeviceBound
      ? rotate(JSON.parse(presented.token), { ...presented, ...keys }, deviceKey)
      : refresh({ ...presented, ...values.keys });
  const ended =
    trace.kind === "logout"
      ? logout([pair]).then((): Outcome => "done")
      : renew(pair).then((issued): Outcome => {
          const { iat } = JSON.parse(issued.token);
          const token = values.findToken(issued.refreshToken) ?? "unknown";
          return { token, rotatedAt: iat === undefined ? null : iat - clock };
        });
  ended.then(
    (outcome) => resolve({ outcome }),
    (error: unknown) =>
      error instanceof AppError ? resolve({ outcome: { code: error.code } }) : reject(error),
  );
  return promise;
}

/** Real tokens, salts and hashes for the symbols of one trace, related by the real derivation. */
function createConcreteValues({ presented, salt, keys, sessionKey }: Trace) {
  const values = new Map<string, string>();
  const names = new Map<string, string>();
  const set = (name: string, value: string): string => {
    values.set(name, value);
    names.set(value, name);
    return value;
  };
  const setToken = (name: Token, value: string): string => {
    names.set(hashToken(value), name);
    return set(name, value);
  };
  const saltValue = (name: string) => values.get(name) ?? set(name, fixed(name));
  for (const key of [keys.key, keys.previous, sessionKey]) if (key !== null) names.set(hashToken(key), key);
  // The key of a browser is public, and stored as it is.
  if (sessionKey !== null) names.set(sessionKey, sessionKey);
  const presentedValue = setToken(presented, fixed("the presented token"));

  /** A token is derived where its parent is at hand; older ones may have any value. */
  function tokenValue(name: Token, { previousTokenHash: parent, rotationSalt }: Partial<Item> = {}): string {
    const value = values.get(name);
    if (value !== undefined) return value;
    const isChild = parent && rotationSalt && successorName(parent, Number(rotationSalt.slice(5))) === name;
    if (!isChild) return setToken(name, fixed(name));
    return setToken(name, deriveSuccessor(tokenValue(parent), saltValue(rotationSalt)));
  }

  function toRecord(item: Item) {
    const { tokenHash, previousTokenHash, rotationSalt, rotatedAtMs, renewedAtMs, rearms, expiresAt, keyed } =
      item;
    const { deviceKey } = item;
    if (deviceKey !== undefined) names.set(deviceKey, deviceKey);
    const hashes = ["rotationKeyHash", "previousKeyHash", "sessionKeyHash"] as const;
    const held = hashes.flatMap((name) => {
      const key = item[name];
      if (key === undefined || key === none) return [];
      names.set(hashToken(key), key);
      return [[name, hashToken(key)]];
    });
    return {
      ...{ ...key, email: "ada@example.com", sessionEpoch: 0, createdAt: clock - 1000, keyed },
      ...{ tokenHash: hashToken(tokenValue(tokenHash, item)), expiresAt: expiresAt + clock },
      ...(previousTokenHash && { previousTokenHash: hashToken(tokenValue(previousTokenHash)) }),
      ...(rotationSalt && { rotationSalt: saltValue(rotationSalt) }),
      ...(rotatedAtMs !== undefined && { rotatedAt: rotatedAtMs + clock }),
      ...(rotatedAtMs !== undefined && { rotatedAtMs: (rotatedAtMs + clock) * 1000 }),
      ...(renewedAtMs !== undefined && { renewedAtMs: (renewedAtMs + clock) * 1000 }),
      ...(rearms !== undefined && { rearms }),
      ...Object.fromEntries(held),
      ...(deviceKey !== undefined && { deviceKey }),
    };
  }

  function nameOf(name: string, value: unknown): unknown {
    // The model counts in seconds.
    if (isTime(name, value)) return (value > 100 * clock ? value / 1000 : value) - clock;
    if (value === none || typeof value === "number") return value;
    const symbol = names.get(String(value));
    if (symbol === undefined) throw new Error("a command holds a value that nobody has made");
    return symbol;
  }

  return {
    presented: presentedValue,
    keys: {
      idempotencyKey: keys.key ?? undefined,
      previousIdempotencyKey: keys.previous ?? undefined,
      sessionKey: sessionKey ?? undefined,
    },
    findToken: (value: string) => names.get(value) as Token | undefined,

    /** The command in symbols. The request's own salt is random; its successor is named after it. */
    toCall({ UpdateExpression, ConditionExpression, ExpressionAttributeValues }: Update): Call {
      const given = Object.entries(ExpressionAttributeValues).filter(([, value]) => value !== undefined);
      const own = ExpressionAttributeValues[":salt"] as string | undefined;
      if (own !== undefined) {
        set(`salt ${salt}`, own);
        setToken(successorName(presented, salt), deriveSuccessor(presentedValue, own));
      }
      const symbols = Object.fromEntries(given.map(([name, value]) => [name, nameOf(name, value)]));
      return { is: "update", UpdateExpression, ConditionExpression, ExpressionAttributeValues: symbols };
    },

    async toAnswer(answer: Answer): Promise<unknown> {
      if (answer.is === "unavailable") throw new Error("no answer");
      if (!("item" in answer)) return {};
      const item = answer.item && toRecord(answer.item);
      if (answer.is === "refused") throw refusal(item);
      return { Attributes: item };
    },
  };
}

/** What the store writes where the rotation before had no key. */
const none = "none";

function fixed(name: string): string {
  return createHash("sha256").update(name).digest("base64url");
}
