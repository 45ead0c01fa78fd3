import { randomUUID } from "node:crypto";
import { hashToken } from "../tokens/refresh-token.ts";

/** What a code or a passkey is used for. */
export type Purpose = "login" | "change of password" | "change of address" | "deletion" | "reset";

/** Names a use of what counts once: the same request, sent again with its Idempotency-Key, is the same use; nothing else is. */
export type NameUse = (idempotencyKey: string | undefined) => string;

/** Makes the names of the uses for one purpose. */
export const createNameUse =
  (purpose: Purpose): NameUse =>
  (idempotencyKey) =>
    idempotencyKey === undefined ? randomUUID() : hashToken(`${purpose}:${idempotencyKey}`);
