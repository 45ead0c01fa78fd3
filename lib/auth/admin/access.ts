import { createChange } from "../../accounts/change.ts";
import { emailIdentity, type IdentityStore, isNamedBy } from "../../accounts/identities.ts";
import type { Operations } from "../../accounts/operations.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import type { ChangeEvent } from "../../events.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";
import { assertRolesFit } from "./roles.ts";

interface AccessOptions {
  identities: Pick<IdentityStore, "find">;
  users: Pick<UserStore, "find" | "noteSwept">;
  operations: Operations;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  clock: Clock;
}

/** Who does something for the team, and by which request. */
export interface Operator {
  /** An ARN, or a user of a machine. */
  name: string;
  requestId: string;
}

/** Makes the record of what an operator changes; `now` is in epoch seconds. */
export const createOperatorChange = (event: ChangeEvent, { name, requestId }: Operator, now: number) =>
  createChange(event, { by: `operator ${name}`, requestId }, now);

/** Makes the use cases by which an operator lets users in, or does not. All of them may be done again where they broke off. */
export function createAccess({ identities, users, operations, sessions, clock }: AccessOptions) {
  const sweep = createSweep({ sessions, users });

  const changeOf = (event: ChangeEvent, by: Operator) => createOperatorChange(event, by, clock());

  /** What is left of sessions is ended, whether or not the flag was there already. */
  async function end(user: User | undefined): Promise<User | undefined> {
    if (user) await sweep(user);
    return user;
  }

  return {
    /** Finds a user by the e-mail address, which is normalised, or by the user id. Throws AppError `unavailable`. */
    async find(target: string): Promise<User | undefined> {
      if (!target.includes("@")) return users.find(target);
      const entry = await identities.find(emailIdentity(target));
      const user = entry && (await users.find(entry.userId));
      return entry && isNamedBy(entry, user) ? user : undefined;
    },

    /** Ends all sessions of a user. Undefined if there is none. Throws AppError `unavailable`. */
    endSessions: async (userId: string, by: Operator): Promise<User | undefined> =>
      end(await operations.endSessions(userId, changeOf("authn_token_revoked", by))),

    /** Lets a user in no more, and ends all sessions. Undefined if there is none. Throws AppError `unavailable`. */
    disable: async (userId: string, by: Operator): Promise<User | undefined> =>
      end(await operations.disable(userId, changeOf("user_archived", by))),

    /** Lets a user in again; a deletion that has begun is off. Undefined if there is none. Throws AppError `unavailable`. */
    enable: async (userId: string, by: Operator): Promise<User | undefined> =>
      end(await operations.enable(userId, changeOf("user_updated", by))),

    /**
     * Takes the second factor of a user away, and ends all sessions: the password alone opens the account then. Undefined if
     * there is no such user. Throws AppError `unavailable`.
     */
    removeFactor: async (userId: string, by: Operator): Promise<User | undefined> =>
      end(await operations.removeFactor(userId, changeOf("totp_removed", by))),

    /**
     * Gives a user these roles and no others, and ends all sessions: no JWT with the old ones is renewed. Undefined if there is
     * no such user. Throws AppError `invalid_body` for roles that no cookie has room for, `unavailable`.
     */
    async setRoles(userId: string, roles: string[], by: Operator): Promise<User | undefined> {
      const user = await users.find(userId);
      if (!user) return undefined;
      assertRolesFit({ ...user, roles });
      return end(
        await operations.setRoles(userId, roles, { ...changeOf("privilege_permissions_changed", by), roles }),
      );
    },
  };
}
