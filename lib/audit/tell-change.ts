import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { logFailure } from "../log.ts";
import { deriveMailId } from "../mail/codes.ts";
import { chooseLanguage, type Language } from "../mail/language.ts";
import type { NewMail } from "../mail/mail.ts";
import type { MailStore } from "../mail/store.ts";
import type { StreamRecord } from "../stream.ts";
import { type AccountChange, findAccountChange } from "./account-change.ts";
import type { Publish } from "./event-bus.ts";
import { listNotifications, type Notification } from "./notices.ts";
import { listPublished } from "./published-events.ts";
import type { AuditStore } from "./store.ts";

interface TellOptions {
  audit: Pick<AuditStore, "has" | "put">;
  mails: Pick<MailStore, "put">;
  /** Undefined where there is no bus. */
  publish: Publish | undefined;
  /** For how many days rows are kept. */
  auditDays: number;
  languages: readonly Language[];
  clock: Clock;
}

const daySeconds = 86_400;
const hourSeconds = 3_600;

/** Makes what tells of the change in a record of the users' stream: by mail, on the bus, and in the audit trail. */
export function createTellChange({ audit, mails, publish, auditDays, languages, clock }: TellOptions) {
  /**
   * Tells of a change once, however often its record comes. The row is put last: whatever breaks off before it is done
   * again; mails are known by their ids, and events by theirs to whoever gets them. Throws AppError `unavailable`.
   */
  return async function tellChange(record: StreamRecord): Promise<void> {
    const found = find(record);
    if (!found || (await audit.has(found.userId, found.change))) return;
    for (const notification of listNotifications(found)) await mail(notification, found);
    await publish?.(listPublished(found));
    await audit.put(found.userId, found.change, clock() + auditDays * daySeconds);
  };

  /** An item that was written by hand, and is damaged, holds up nobody else's changes. */
  function find(record: StreamRecord): AccountChange | undefined {
    try {
      return findAccountChange(record, clock());
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logFailure("a change that cannot be told", error);
      return undefined;
    }
  }

  async function mail(notification: Notification, { userId, change, before, after }: AccountChange) {
    const { id, at, device, ip } = change;
    const content: Omit<NewMail, "id"> = {
      ...notification,
      language: chooseLanguage((after ?? before)?.language, languages),
      // A deletion may have begun long before it could be finished.
      createdAt: after ? at : clock(),
      changeId: id,
      ...(device !== undefined && { device }),
      ...(ip !== undefined && { ip }),
    };
    if (isOfPassword(notification)) {
      const hour = Math.floor(at / hourSeconds);
      const isFirst = await mails.put({
        ...content,
        id: deriveMailId(`password:${userId}:${hour}`, notification),
        isUnlimited: true,
      });
      if (isFirst) return;
    }
    await mails.put({
      ...content,
      id: deriveMailId(`change:${id}:${toName(notification)}`, notification),
      ...(isLast(notification) && { isUnlimited: true }),
    });
  }
}

/** Whoever is in an account cannot use up its notices to keep this from its owner: one an hour goes out in any case. */
const isOfPassword = (notification: Notification): boolean =>
  ["passwordChanged", "passwordReset"].includes(toName(notification));

/** The last that an address is told of an account: there is one of it. */
const isLast = (notification: Notification): boolean =>
  ["emailUndone", "accountDeleted"].includes(toName(notification));

const toName = (notification: Notification): string =>
  notification.kind === "notice" ? notification.notice : notification.kind;
