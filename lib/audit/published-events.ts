import type { AccountChange } from "./account-change.ts";

/** An event on the bus: what other systems are told of an account. */
export interface PublishedEvent {
  /** The `detail-type`. */
  type:
    | "user.created"
    | "user.verified"
    | "user.email_changed"
    | "user.password_changed"
    | "user.disabled"
    | "user.enabled"
    | "user.roles_changed"
    | "user.deleted";
  detail: {
    /** Names the event, however often it comes. */
    id: string;
    /** Epoch seconds; of two events of a user the later one has the higher id. */
    at: number;
    userId: string;
    /** `user`, or whoever else changed the account. */
    by: string;
    email?: string;
    roles?: string[];
  };
}

/** Lists the events that a change of an account is; of one that is nobody else's business none. */
export function listPublished({ userId, change, before, after }: AccountChange): PublishedEvent[] {
  const { event, id, at, by, roles } = change;
  const detailOf = (type: PublishedEvent["type"]) => ({ id: `${id}/${type}`, at, userId, by });
  const plain = (type: PublishedEvent["type"]): PublishedEvent => ({ type, detail: detailOf(type) });
  const addressed = (type: PublishedEvent["type"]): PublishedEvent => ({
    type,
    detail: { ...detailOf(type), ...(after && { email: after.email }) },
  });
  const found: PublishedEvent[] = [];
  if (event === "user_created") found.push(addressed("user.created"));
  if (event === "user_deleted") found.push(plain("user.deleted"));
  if (event === "user_archived") found.push(plain("user.disabled"));
  if (event === "authn_password_change") found.push(plain("user.password_changed"));
  if (event === "privilege_permissions_changed")
    found.push({
      type: "user.roles_changed",
      detail: { ...detailOf("user.roles_changed"), roles: roles ?? [] },
    });
  if (before && after) {
    if (before.email !== after.email) found.push(addressed("user.email_changed"));
    else if (before.emailVerifiedAt === undefined && after.emailVerifiedAt !== undefined)
      found.push(plain("user.verified"));
    if (before.disabledAt !== undefined && after.disabledAt === undefined) found.push(plain("user.enabled"));
  }
  return found;
}
