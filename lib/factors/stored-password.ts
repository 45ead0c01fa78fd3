// Written beside the bundle by build/assets.ts: few ever need it, and it would slow every cold start.
import foreignHashFile from "data-file:foreign-hash.mjs";
import { needsRehash, verifyPassword } from "./password-hash.ts";
import { findHash } from "./phc-string.ts";
import type verifyForeignHash from "./verify-foreign-hash.ts";

/**
 * Answers whether a password is the one that a user has, whatever system hashed it, and whether it should be hashed anew. Without
 * a stored hash it computes as long as for one of ours, and answers no. Throws TypeError for a hash that is none.
 */
export async function verifyStoredPassword(
  stored: string | undefined,
  password: string,
): Promise<{ isVerified: boolean; isRehashDue: boolean }> {
  if (stored === undefined || findHash(stored))
    return {
      isVerified: await verifyPassword(stored, password),
      isRehashDue: stored !== undefined && needsRehash(stored),
    };
  const { default: verify } = (await import(foreignHashFile.href)) as { default: typeof verifyForeignHash };
  const verdict = await verify(stored, password);
  // bcrypt has seen 72 bytes alone: what else was typed may be wrong, and would be the password from now on.
  return { isVerified: verdict !== "no", isRehashDue: verdict === "yes" };
}
