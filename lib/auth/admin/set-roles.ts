import type { User } from "../../accounts/store.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";
import { assertRolesFit } from "./roles.ts";

/** Makes the use case by which an operator gives and takes roles. */
export function createSetRoles({ users, operations, clock, ...stores }: AccessOptions) {
  const end = createEnding({ users, ...stores });

  /**
   * Gives a user these roles and no others, and ends all sessions: no JWT with the old ones is renewed. Undefined if there is
   * no such user. Throws AppError `invalid_body` for roles that no cookie has room for, `unavailable`.
   */
  return async function setRoles(userId: string, roles: string[], by: Operator): Promise<User | undefined> {
    const user = await users.find(userId);
    if (!user) return undefined;
    assertRolesFit({ ...user, roles });
    const change = createOperatorChange("privilege_permissions_changed", by, clock());
    return end(operations.setRoles(userId, roles, { ...change, roles }));
  };
}
