import { createChange } from "../../accounts/change.ts";
import type { EndOthers } from "../../accounts/end-others.ts";
import type { IdentityRemoval } from "../../accounts/identity-removal.ts";
import { parseIdentityId } from "../../accounts/identity-view.ts";
import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Client, Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor } from "../factor-owner.ts";
import { createSweep } from "../sweep.ts";

interface UnlinkOptions {
  users: Pick<UserStore, "find" | "noteSwept">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  endOthers: EndOthers;
  removeIdentity: IdentityRemoval;
  clock: Clock;
}

/** Makes the use case after which an identity no longer opens the caller's account. */
export function createUnlinkIdentity({ users, sessions, endOthers, removeIdentity, clock }: UnlinkOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Takes the identity away, and ends every session but the caller's: others may have been opened with it. Throws AppError
   * `not_found`, `last_sign_in_method`, `insufficient_user_authentication`, `invalid_token`, `unavailable`.
   */
  return async function unlinkIdentity(
    caller: Session,
    identityId: unknown,
    { requestId, ...client }: Client & { requestId: string },
  ): Promise<void> {
    const identity = parseIdentityId(identityId);
    if (identity === undefined) throw noIdentity();
    const now = clock();
    const change = createChange("identity_unlinked", { by: "user", client, requestId }, now);
    const { more, others } = removeIdentity(caller, identity);
    const sessionEpoch = await endOthers(caller, change, more, others);
    if (sessionEpoch !== undefined) return sweep({ ...caller, sessionEpoch });
    const user = await getCurrentUser(users, caller, now);
    assertMayChangeFactor(user, caller);
    if (!user.identityIds?.has(identity)) throw noIdentity();
    throw new AppError("last_sign_in_method", {
      detail:
        "Nothing else opens the account. Set a password first (POST /auth/password/forgot), or link another identity.",
    });
  };
}

const noIdentity = (): AppError => new AppError("not_found", { detail: "You have no such identity." });
