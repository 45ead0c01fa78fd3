import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as v from "valibot";
import { type Change, changeSchema } from "../accounts/change.ts";
import { parseItem } from "../parse-item.ts";
import type { StreamRecord } from "../stream.ts";

/** What a change is told by: an image of the user's item, of which nothing else is read. Times are epoch seconds. */
const imageType = {
  name: "image of a user",
  keyNames: ["userId"],
  schema: v.object({
    userId: v.string(),
    email: v.string(),
    emailVerifiedAt: v.exactOptional(v.number()),
    disabledAt: v.exactOptional(v.number()),
    language: v.exactOptional(v.string()),
    movedBy: v.exactOptional(v.string()),
    undoUntil: v.exactOptional(v.number()),
    lastChange: v.exactOptional(changeSchema),
  }),
};

/** A user as the stream shows it. */
export type UserImage = v.InferOutput<typeof imageType.schema>;

/** A change of an account, with the user before it and after it. */
export interface AccountChange {
  userId: string;
  change: Change;
  before: UserImage | undefined;
  after: UserImage | undefined;
}

/** A stream holds a record for 24 h, so a change that is older was told. */
const memorySeconds = 25 * 3_600;

/**
 * Finds the change that a record of the users' stream is about; undefined where the write was none (a re-hash, the note of
 * a sweep). The beginning of a deletion is one, and the end is another. `now` is in epoch seconds. Throws AppError
 * `internal_error` for a damaged image.
 */
export function findAccountChange({ dynamodb }: StreamRecord, now: number): AccountChange | undefined {
  const before = parseImage(dynamodb.OldImage);
  const after = parseImage(dynamodb.NewImage);
  if (!after) return findDeletion(before);
  const { userId, lastChange: change } = after;
  if (!change || change.id === before?.lastChange?.id) return undefined;
  // An item that was put back as it once was, by an operator or a restore.
  if (change.at < now - memorySeconds) return undefined;
  return { userId, change, before, after };
}

/** What ended without a deletion that had begun – by an operator's hand – is nothing that the service did. */
function findDeletion(before: UserImage | undefined): AccountChange | undefined {
  if (before?.lastChange?.event !== "user_deleting") return undefined;
  // Its beginning has been told under the id of the change.
  const change = { ...before.lastChange, id: `${before.lastChange.id}-end`, event: "user_deleted" };
  return { userId: before.userId, change, before, after: undefined };
}

function parseImage(image: StreamRecord["dynamodb"]["OldImage"]): UserImage | undefined {
  return image && parseItem(imageType, unmarshall(image as Record<string, AttributeValue>));
}
