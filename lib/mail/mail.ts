import * as v from "valibot";
import type { Item } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";
import { kinds, type MailKind, notices } from "./kinds.ts";
import { languages } from "./language.ts";

/** A mail as the table holds it: a message to be sent, and the state of the code in it. Times are epoch seconds. */
const mailType = {
  name: "mail",
  // No log may hold an e-mail address, nor the id, which is bound to one.
  keyNames: ["kind"],
  schema: v.object({
    id: v.string(),
    kind: v.picklist(Object.keys(kinds) as MailKind[]),
    /** Where to; normalised. */
    email: v.string(),
    language: v.picklist(languages),
    createdAt: v.number(),
    /** Neither sent nor acted on after this. */
    validUntil: v.number(),
    /** When DynamoDB may delete it: until then an operator can see what became of it. */
    expiresAt: v.number(),
    /** Who asked for it: what nameDevice says, and from where. */
    device: v.exactOptional(v.string()),
    ip: v.exactOptional(v.string()),
    /** `register`, `invitation`: the id that the account will have. */
    newUserId: v.exactOptional(v.string()),
    /** `email`, `recovery`: whose account. `reset`, `login`: noted by who sends it; without it there is none. */
    userId: v.exactOptional(v.string()),
    /** `email`: the address before, and the session that asked. */
    fromEmail: v.exactOptional(v.string()),
    sessionId: v.exactOptional(v.string()),
    /** `undo`: the new address, masked. */
    maskedEmail: v.exactOptional(v.string()),
    /** `invitation`, `recovery`: which operator; and of an invitation the roles that the account will have. */
    invitedBy: v.exactOptional(v.string()),
    roles: v.exactOptional(v.array(v.string())),
    /** `notice`: what it tells, and of which change. */
    notice: v.exactOptional(v.picklist(notices)),
    changeId: v.exactOptional(v.string()),
    /** `notice`: sent whatever else was sent to the address. */
    isUnlimited: v.exactOptional(v.boolean()),
    /** `undo`: the mail by which the address was changed. */
    movedBy: v.exactOptional(v.string()),
    /** Wrong codes. */
    tries: v.exactOptional(v.number()),
    /** When the right code was first presented, and when what it is for was done. */
    provedAt: v.exactOptional(v.number()),
    usedAt: v.exactOptional(v.number()),
    /** `login`: by which request, and the hash of its Idempotency-Key: that one may come again. */
    usedBy: v.exactOptional(v.string()),
    usedKeyHash: v.exactOptional(v.string()),
    /** What became of it: a lease of who is sending it, then one of the two ends. */
    sendingAt: v.exactOptional(v.number()),
    /** `notice`: when it was counted, where it could not be sent then. */
    countedAt: v.exactOptional(v.number()),
    sentAt: v.exactOptional(v.number()),
    messageId: v.exactOptional(v.string()),
    failedAt: v.exactOptional(v.number()),
    failure: v.exactOptional(v.string()),
  }),
};

/** A mail as the table holds it. */
export type Mail = v.InferOutput<typeof mailType.schema>;

/** A mail to be sent: all that is not noted later. */
export type NewMail = Omit<
  Mail,
  "validUntil" | "expiresAt" | "tries" | "sendingAt" | "countedAt" | "sentAt" | "failedAt"
> & {
  /** By default as long as mails of this kind are good. */
  validUntil?: number;
};

/** Reads a mail as the table, or its stream, holds it. Throws AppError `internal_error` for one that is damaged. */
export const parseMail = (item: Item): Mail => parseItem(mailType, item);
