import { expect, test } from "@jest/globals";
import type { UserImage } from "./account-change.ts";
import { listNotifications } from "./notices.ts";

const proven: UserImage = { userId: "u", email: "ada@example.com", emailVerifiedAt: 1 };
const { emailVerifiedAt: _, ...unproven } = proven;
const moved = { ...proven, email: "new@example.org", movedBy: "m", undoUntil: 605_000 };

const tell = (event: string, by: string, before: UserImage | undefined, after: UserImage | undefined) =>
  listNotifications({ userId: "u", change: { id: "c", event, by, at: 200, requestId: "r" }, before, after });
const notice = (name: string, email = proven.email) => ({ kind: "notice", notice: name, email });

test.each<[event: string, by: string, told: string[]]>([
  ["authn_password_change", "user", ["passwordChanged"]],
  ["authn_password_change", "reset", ["passwordReset"]],
  ["totp_added", "user", ["totpAdded"]],
  ["totp_removed", "user", ["totpRemoved"]],
  ["recovery_codes_made", "user", ["recoveryCodesMade"]],
  ["recovery_code_used", "user", ["recoveryCodeUsed"]],
  ["passkey_added", "user", ["passkeyAdded"]],
  ["passkey_removed", "user", ["passkeyRemoved"]],
  ["identity_linked", "user", ["identityLinked"]],
  ["identity_linked", "provider", ["identityLinked"]],
  ["identity_unlinked", "user", ["identityUnlinked"]],
  ["user_created", "user", []],
  ["user_updated", "user", []],
  ["authn_token_revoked", "user", []],
])("%s by %s tells %j, and only a proven address", (event, by, told) => {
  expect(tell(event, by, proven, proven)).toEqual(told.map((name) => notice(name)));
  expect(tell(event, by, unproven, unproven)).toEqual([]);
});

test("the first proof of an address by a reset is told to it", () => {
  expect(tell("authn_password_change", "reset", unproven, proven)).toEqual([notice("passwordReset")]);
});

test("a deletion is told to the last address, if that is proven", () => {
  expect(tell("user_deleted", "user", proven, undefined)).toEqual([notice("accountDeleted")]);
  expect(tell("user_deleted", "user", unproven, undefined)).toEqual([]);
});

test("a new address is told of itself, the one before of the new one, masked, with the means to undo it", () => {
  const toNew = notice("emailChanged", moved.email);
  const undo = { ...{ kind: "undo", email: proven.email, userId: "u" }, maskedEmail: "n•••@e•••.org" };
  const told = { ...undo, movedBy: "m", validUntil: 605_000 };
  expect(tell("user_updated", "user", proven, moved)).toEqual([toNew, told]);
  // Whoever has an address that was never proven may be a stranger.
  expect(tell("user_updated", "user", unproven, moved)).toEqual([toNew]);
});

test("an undone change is told to both", () => {
  expect(tell("user_updated", "undo", moved, proven)).toEqual([
    notice("emailRestored"),
    notice("emailUndone", moved.email),
  ]);
});
