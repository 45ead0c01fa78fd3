import type { Update } from "../memory-table.ts";

/**
 * The model's symbols. A refresh token (and its hash) is named `generation#salt`: how many rotations it stands after
 * the current one (before it: negative), and the number of the salt that derived it. Times are seconds relative to the
 * model's clock; in calls and answers, to the clock that their request has read.
 */
export type Token = `${number}#${number}`;
export type Salt = `salt ${number}`;
/** A random key is named like a salt; others have a name of their own. */
export type Key = string;

/** The session as the table holds it; what no rule looks at is left out. */
export interface Item {
  sessionId: string;
  tokenHash: Token;
  previousTokenHash?: Token;
  rotationSalt?: Salt;
  rotatedAtMs?: number;
  renewedAtMs?: number;
  rearms?: number;
  rotationKeyHash?: Key;
  previousKeyHash?: Key;
  sessionKeyHash?: Key;
  deviceKey?: Key;
  keyed: boolean;
  expiresAt: number;
}

/** What a client keeps beside its pair: the key of its next refresh, and the one before that. */
export interface Keys {
  key: Key | null;
  previous: Key | null;
}

/** One call of the store: an update, or the deletion of the session. */
export type Call = ({ is: "update" } & Update) | { is: "delete" };

export type Answer = { is: "written" | "refused"; item: Item | null } | { is: "deleted" | "unavailable" };

/** A pair, told from others by its refresh token and the time of its JWT. */
export interface Pair {
  token: Token;
  rotatedAt: number | null;
}

/** A request under way. Its salt's number is its identity. */
export interface Request {
  kind: "refresh" | "logout";
  who: "browser" | "thief";
  presented: Token;
  keys: Keys;
  sessionKey: Key | null;
  salt: number;
  sentAt: number;
  /** It was sent after a logout had been answered. */
  isAfterLogout: boolean;
  /** What the function has read off its clock; null before it has started. */
  clock: number | null;
  answers: Answer[];
  /** The store call under way, in the request's own time; null before the start and after the end. */
  call: Call | null;
  /** The pair of a 200 that has not reached its browser yet. */
  issued: Pair | null;
}

/** A write of a request that has ended; a delayed copy of it may still arrive. */
export interface Copy {
  call: Call;
  clock: number;
  sentAt: number;
}

export interface World {
  item: Item | null;
  jar: Pair;
  /** What the jar held before and may hold again, after the browser was killed: it is written to disk late. */
  onDisk: (Pair & { until: number }) | null;
  wasKilled: boolean;
  storage: Keys & { chosenAt: number };
  /** The pairs that a thief has copied or been given, the copy first; empty before the theft. */
  stolen: Token[];
  stolenKeys: Keys;
  /** Who has got further with the stolen pair than both may. */
  isAheadOfTheft: { browser: boolean; thief: boolean };
  /** How many pairs after the stolen one the browser has been given, and whether the present one is among them. */
  given: number;
  isGiven: boolean;
  isLogoutAnswered: boolean;
  requests: Request[];
  copies: Copy[];
  salts: number;
}

export const generationOf = (token: Token) => Number.parseInt(token, 10);
export const successorName = (presented: Token, salt: number): Token =>
  `${generationOf(presented) + 1}#${salt}`;

/** Every number of an item or a call is a time, but the count of re-arms. */
export const isTime = (name: string, value: unknown): value is number =>
  typeof value === "number" && !name.endsWith("rearms");

export function shift<T extends object>(values: T, by: number): T {
  const entries = Object.entries(values);
  return Object.fromEntries(entries.map(([name, v]) => [name, isTime(name, v) ? v + by : v])) as T;
}

export function shiftCall(call: Call, by: number): Call {
  if (call.is === "delete") return call;
  return { ...call, ExpressionAttributeValues: shift(call.ExpressionAttributeValues, by) };
}

/** Ages beyond this make no difference to any rule when nothing is under way. */
const oldestAge = -60;

/** The world some seconds later: whoever has been under way too long is gone, and so is what they wrote. */
export function later(world: World, seconds: number, underWaySeconds: number): World {
  const isUnderWay = ({ sentAt }: { sentAt: number }) => seconds - sentAt <= underWaySeconds;
  const shiftPair = ({ token, rotatedAt }: Pair): Pair => {
    return { token, rotatedAt: rotatedAt === null ? null : Math.max(rotatedAt - seconds, oldestAge) };
  };
  const requests = world.requests.filter(isUnderWay).map((request) => {
    const { sentAt, clock, issued } = request;
    const times = { sentAt: sentAt - seconds, clock: clock === null ? null : clock - seconds };
    return { ...request, ...times, issued: issued && shiftPair(issued) };
  });
  const copies = world.copies.filter(isUnderWay).map((copy) => shift(copy, -seconds));
  const item = world.item && shift(world.item, -seconds);
  const isQuiet = requests.length === 0 && copies.length === 0;
  if (isQuiet && item?.rotatedAtMs !== undefined) item.rotatedAtMs = Math.max(item.rotatedAtMs, oldestAge);
  if (isQuiet && item?.renewedAtMs !== undefined) item.renewedAtMs = Math.max(item.renewedAtMs, oldestAge);
  const until = (world.onDisk?.until ?? 0) - seconds;
  const onDisk = world.onDisk && until >= 0 ? { ...shiftPair(world.onDisk), until } : null;
  const storage = { ...world.storage, chosenAt: Math.max(world.storage.chosenAt - seconds, oldestAge) };
  return { ...world, item, jar: shiftPair(world.jar), onDisk, storage, requests, copies };
}

/**
 * Renames everything that has a name by how it stands to the rest, so that worlds that differ in names only are one:
 * generations count from the current token, salts are numbered as they occur, requests are sorted.
 */
export function canonical(world: World): World {
  const base = generationOf(world.item?.tokenHash ?? world.jar.token);
  const numbers = new Map<number, number>();
  const saltOf = (salt: number): number => {
    const number = numbers.get(salt) ?? numbers.size;
    numbers.set(salt, number);
    return number;
  };
  // Half of a run is spent here: entries made into an object, and a match taken apart by a pattern, take twice as long.
  const rename = (value: unknown, name = ""): unknown => {
    if (name === "salt") return saltOf(value as number);
    if (typeof value === "string") {
      const found = /^(?:(salt|key) |(-?\d+)#)(\d+)$/.exec(value);
      if (!found) return value;
      const number = saltOf(Number(found[3]));
      return found[1] === undefined ? `${Number(found[2]) - base}#${number}` : `${found[1]} ${number}`;
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => rename(each));
    const renamed: Record<string, unknown> = {};
    for (const name in value) renamed[name] = rename(value[name as keyof typeof value], name);
    return renamed;
  };
  const renamed = rename({ ...world, requests: sortedByContent(world.requests) }) as World;
  return { ...renamed, salts: numbers.size };
}

/** A text that tells worlds apart. What a request does next follows from its answers and need not stand in it. */
export function worldText({ item, jar, stolen, isAheadOfTheft, ...world }: World): string {
  const requests = world.requests.map((request) => {
    const { presented, keys, salt, answers, issued } = request;
    const sent = `${presented} ${keysText(keys)} ${salt}`;
    return `${contentOf(request)} ${sent} ${answers.map(answerText)} ${issued?.token}`;
  });
  const copies = world.copies.map(({ call, clock, sentAt }) => `${callText(call)} ${clock} ${sentAt}`);
  const { browser, thief } = isAheadOfTheft;
  const { onDisk, wasKilled, storage, stolenKeys, isLogoutAnswered } = world;
  const kept = `${wasKilled} ${onDisk?.token} ${onDisk?.until} ${keysText(storage)} ${storage.chosenAt} ${keysText(stolenKeys)}`;
  const seen = `${world.given} ${world.isGiven}`;
  const who = `${jar.token} ${jar.rotatedAt} ${kept} ${stolen} ${browser} ${thief} ${seen} ${isLogoutAnswered}`;
  return `${itemText(item)};${who};${requests.join(";")};${copies.join(";")}`;
}

const keysText = ({ key, previous }: Keys) => `${key},${previous}`;

export function answerText(answer: Answer): string {
  return "item" in answer ? `${answer.is}:${itemText(answer.item)}` : answer.is;
}

function itemText(item: Item | null): string {
  if (!item) return "-";
  const { tokenHash, previousTokenHash, rotationSalt, rotatedAtMs, keyed, expiresAt } = item;
  const keys = `${item.rotationKeyHash},${item.previousKeyHash}`;
  // The window is for sessions without a key.
  const renewed = keyed ? "" : item.renewedAtMs;
  const times = `${rotatedAtMs},${item.rearms},${renewed},${expiresAt}`;
  return `${tokenHash},${previousTokenHash},${rotationSalt},${times},${keys}`;
}

function callText(call: Call): string {
  if (call.is === "delete") return call.is;
  return `${call.UpdateExpression.length}:${Object.values(call.ExpressionAttributeValues)}`;
}

/** Sorted without looking at the salts' numbers, which are only names. */
function sortedByContent(requests: Request[]): Request[] {
  if (requests.length < 2) return requests;
  const byContent = requests.map((request) => [contentOf(request), request] as const);
  return byContent.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, request]) => request);
}

function contentOf(request: Request): string {
  const { kind, who, presented, sessionKey, sentAt, isAfterLogout, clock, answers, call, issued } = request;
  const given = issued && `${generationOf(issued.token)} ${issued.rotatedAt}`;
  const about = `${kind} ${who} ${generationOf(presented)} ${sessionKey} ${sentAt} ${isAfterLogout}`;
  return `${about} ${clock} ${call?.is} ${given} ${answers.length}`;
}
