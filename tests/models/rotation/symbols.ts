/**
 * The model's symbols. A refresh token is named `generation#salt`: how many rotations it stands after the current one
 * (before it: negative), and the number of the salt that derived it. Times are seconds relative to the model's clock,
 * in calls and answers relative to the clock that their request has read.
 */
export type Token = `${number}#${number}`;

/** The session as the table holds it. */
export interface Item {
  token: Token;
  previous: Token | null;
  salt: number | null;
  rotatedAt: number | null;
  key: string | null;
  keyed: boolean;
  expiresAt: number;
}

export interface RotateCall {
  is: "rotate";
  presented: Token;
  successor: Token;
  salt: number;
  key: string | null;
  now: number;
  notRotatedSince: number;
  expiresAt: number;
}

export interface RearmCall {
  is: "rearm";
  token: Token;
  previous: Token;
  rotatedAt: number;
  now: number;
  expiresAt: number;
}

/** One store call. `read` is the read that follows a refusal where the engine does not return the item. */
export type Call = RotateCall | RearmCall | { is: "delete" } | { is: "read" };

/** What a store call answered. */
export type Answer = { is: "written" | "refused"; item: Item | null } | { is: "deleted" | "unavailable" };

/** A refresh that was answered 200: by what pair. */
export interface Issued {
  token: Token | "unknown";
  rotatedAt: number | null;
}

/** How a request ended. */
export type Outcome = Issued | { code: string } | "done";

export function generationOf(token: Token): number {
  return Number.parseInt(token, 10);
}

export function successorName(presented: Token, salt: number): Token {
  return `${generationOf(presented) + 1}#${salt}`;
}

export function shiftItem(item: Item, by: number): Item {
  return {
    ...item,
    rotatedAt: item.rotatedAt === null ? null : item.rotatedAt + by,
    expiresAt: item.expiresAt + by,
  };
}

export function shiftCall(call: Call, by: number): Call {
  if (call.is === "rotate") {
    const { now, notRotatedSince, expiresAt } = call;
    return { ...call, now: now + by, notRotatedSince: notRotatedSince + by, expiresAt: expiresAt + by };
  }
  if (call.is === "rearm") {
    const { rotatedAt, now, expiresAt } = call;
    return { ...call, rotatedAt: rotatedAt + by, now: now + by, expiresAt: expiresAt + by };
  }
  return call;
}

/** Texts that tell values apart; shorter and faster than JSON. */
export function itemText(item: Item | null): string {
  if (!item) return "-";
  const { token, previous, salt, rotatedAt, key, keyed, expiresAt } = item;
  return `${token},${previous},${salt},${rotatedAt},${key},${keyed},${expiresAt}`;
}

export function answerText(answer: Answer): string {
  return "item" in answer ? `${answer.is}:${itemText(answer.item)}` : answer.is;
}

export function callText(call: Call): string {
  if (call.is === "rotate")
    return `rotate:${call.presented},${call.salt},${call.key},${call.now},${call.expiresAt}`;
  return call.is === "rearm"
    ? `rearm:${call.token},${call.rotatedAt},${call.now},${call.expiresAt}`
    : call.is;
}
