import type { Item, RearmCall, RotateCall } from "./symbols.ts";

/** The sessions table for one key: each write gives the item after it, or null where its condition refuses. */
export interface Table {
  rotate: (item: Item | null, call: RotateCall) => Item | null;
  rearm: (item: Item | null, call: RearmCall) => Item | null;
}

/** Exactly the conditions and effects of lib/sessions/store.ts. */
export const table: Table = {
  rotate(item, call) {
    const isAllowed =
      item?.token === call.presented &&
      item.expiresAt > call.now &&
      (item.rotatedAt === null || item.rotatedAt <= call.notRotatedSince);
    return isAllowed ? rotated(item, call) : null;
  },
  rearm(item, call) {
    const isAllowed =
      item?.token === call.token && item.previous === call.previous && item.rotatedAt === call.rotatedAt;
    return isAllowed ? rearmed(item, call) : null;
  },
};

/** What the UpdateExpression of a rotation makes of an item. */
export function rotated(item: Item, { presented, successor, salt, key, now, expiresAt }: RotateCall): Item {
  return { ...item, previous: presented, token: successor, salt, rotatedAt: now, expiresAt, key };
}

/** What the UpdateExpression of a re-arming makes of an item. */
export function rearmed(item: Item, { now, expiresAt }: RearmCall): Item {
  return { ...item, rotatedAt: now, expiresAt };
}
