// Written beside the bundle by build/assets.ts: few ever need it, and it would slow every cold start.
import foreignHashFile from "data-file:foreign-hash.mjs";
import type { User } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import { needsRehash, verifyPassword } from "./password-hash.ts";
import { findHash } from "./phc-string.ts";
import type verifyForeignHash from "./verify-foreign-hash.ts";

/**
 * Answers whether a password is the one that a user has, whatever system hashed it, and whether it should be hashed anew. Without
 * a user, or a hash, it computes as long as for one of ours, and answers no. Throws AppError `internal_error` for a hash that is
 * none, or demands absurd work.
 */
export async function verifyStoredPassword(
  user: Pick<User, "userId" | "passwordHash"> | undefined,
  password: string,
): Promise<{ isVerified: boolean; isRehashDue: boolean }> {
  const stored = user?.passwordHash;
  if (stored === undefined || findHash(stored)) {
    const isVerified = await verifyPassword(stored, password);
    return { isVerified, isRehashDue: stored !== undefined && needsRehash(stored) };
  }
  const { default: verify } = (await import(foreignHashFile.href)) as { default: typeof verifyForeignHash };
  const verdict = await verify(stored, password);
  if (verdict === "unknown") {
    const cause = new TypeError(`the user with userId "${user?.userId}" is damaged: passwordHash`);
    throw new AppError("internal_error", { cause });
  }
  // bcrypt has seen 72 bytes alone: what else was typed may be wrong, and would be the password from now on.
  return { isVerified: verdict !== "no", isRehashDue: verdict === "yes" };
}
