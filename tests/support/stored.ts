import { randomUUID } from "node:crypto";
import { clock } from "./clock.ts";
import type { Database, Item } from "./database.ts";

/** Stores this many more sessions of a user, each a second older than the one before. */
export async function storeSessions(
  database: Database,
  userId: string,
  count: number,
  attributes: Item = {},
): Promise<Item[]> {
  const items = Array.from({ length: count }, (_, i) => ({
    userId,
    sessionId: randomUUID(),
    email: "somebody@example.com",
    tokenHash: "A".repeat(43),
    keyed: false,
    createdAt: clock.now - i,
    expiresAt: clock.now + 86_400,
    ...attributes,
  }));
  await database.putAll("sessions", items);
  return items;
}
