import { expect, test } from "@jest/globals";
import { listPublished } from "./published-events.ts";

const userId = "u";
const user = { userId, email: "ada@example.com" };
const proven = { ...user, emailVerifiedAt: 1 };

test.each([
  ["user_created", undefined, user, ["user.created"]],
  ["user_created", undefined, proven, ["user.created"]],
  ["user_updated", user, proven, ["user.verified"]],
  ["user_updated", proven, { ...proven, email: "eve@example.com" }, ["user.email_changed"]],
  ["user_updated", { ...user, disabledAt: 1 }, user, ["user.enabled"]],
  ["user_updated", user, user, []],
  ["authn_password_change", proven, proven, ["user.password_changed"]],
  ["authn_password_change", user, proven, ["user.password_changed", "user.verified"]],
  ["user_archived", user, { ...user, disabledAt: 1 }, ["user.disabled"]],
  ["privilege_permissions_changed", user, user, ["user.roles_changed"]],
  ["user_deleting", user, user, []],
  ["user_deleted", user, undefined, ["user.deleted"]],
  ["totp_added", proven, proven, []],
  ["authn_token_revoked", proven, proven, []],
] as const)("%s, from %j to %j: %j", (event, before, after, types) => {
  const change = { id: "c", event, by: "user", at: 5, requestId: "r" };
  const found = listPublished({ userId, change, before, after });
  expect(found.map(({ type }) => type)).toEqual(types);
  for (const { type, detail } of found)
    expect(detail).toMatchObject({ id: `c/${type}`, at: 5, userId, by: "user" });
});

test("an event has the address only where it is new, and the roles where they are", () => {
  const detailOf = (event: string, before: object | undefined) => {
    const change = { id: "c", event, by: "user", at: 5, requestId: "r", roles: ["admin"] };
    return listPublished({ userId, change, before: before as typeof user, after: proven })[0]?.detail;
  };
  expect(detailOf("user_created", undefined)).toHaveProperty("email", user.email);
  expect(detailOf("user_updated", { ...proven, email: "eve@example.com" })).toHaveProperty(
    "email",
    user.email,
  );
  expect(detailOf("authn_password_change", proven)).not.toHaveProperty("email");
  expect(detailOf("privilege_permissions_changed", proven)).toMatchObject({ roles: ["admin"] });
});
