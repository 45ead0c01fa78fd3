import type { Notice } from "../mail/kinds.ts";
import { maskEmail } from "../mail/mask-email.ts";
import type { AccountChange, UserImage } from "./account-change.ts";

/** A mail that tells of a change. */
export type Notification =
  | { kind: "notice"; notice: Notice; email: string }
  /** To an address that no longer opens the account: its link brings it back. */
  | { kind: "undo"; email: string; userId: string; maskedEmail: string; movedBy: string; validUntil: number };

/** What the address of an account is told of a change, by the change's event; of all others nothing. */
const noticeOf: Partial<Record<string, (change: AccountChange["change"]) => Notice>> = {
  authn_password_change: ({ by }) => (by === "reset" ? "passwordReset" : "passwordChanged"),
  totp_added: () => "totpAdded",
  totp_removed: () => "totpRemoved",
  recovery_codes_made: () => "recoveryCodesMade",
  recovery_code_used: () => "recoveryCodeUsed",
  passkey_added: () => "passkeyAdded",
  passkey_removed: () => "passkeyRemoved",
  identity_linked: () => "identityLinked",
  identity_unlinked: () => "identityUnlinked",
  user_archived: () => "accountDisabled",
  user_deleted: () => "accountDeleted",
};

/** Lists the mails that tell of a change. Only proven addresses are told anything: any other may be a stranger's. */
export function listNotifications({ change, before, after }: AccountChange): Notification[] {
  if (before && after && before.email !== after.email) return listMoved(change.by, before, after);
  const user = after ?? before;
  const notice = noticeOf[change.event]?.(change);
  return notice && user?.emailVerifiedAt !== undefined ? [{ kind: "notice", notice, email: user.email }] : [];
}

function listMoved(by: string, before: UserImage, after: UserImage): Notification[] {
  const isUndone = by === "undo";
  const toNew: Notification = {
    kind: "notice",
    notice: isUndone ? "emailRestored" : "emailChanged",
    email: after.email,
  };
  if (before.emailVerifiedAt === undefined) return [toNew];
  if (isUndone) return [toNew, { kind: "notice", notice: "emailUndone", email: before.email }];
  const { userId, movedBy, undoUntil } = after;
  if (movedBy === undefined || undoUntil === undefined) return [toNew];
  const maskedEmail = maskEmail(after.email);
  return [toNew, { kind: "undo", email: before.email, userId, maskedEmail, movedBy, validUntil: undoUntil }];
}
