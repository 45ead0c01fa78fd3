// Kept in memory, by user. Next.js loads this file more than once, so it stands in `globalThis`.
const kept = globalThis as typeof globalThis & { orders?: Map<string, string[]> };
kept.orders ??= new Map();
const { orders } = kept;

export const listOrders = (userId: string): string[] => orders.get(userId) ?? [];

export function addOrder(userId: string, item: string): void {
  orders.set(userId, [...listOrders(userId), item]);
}
