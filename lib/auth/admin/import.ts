import { createHash, randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Directory } from "../../accounts/directory.ts";
import { isEmail, normalizeEmail } from "../../accounts/email.ts";
import { rolePattern } from "../../accounts/role-pattern.ts";
import type { User } from "../../accounts/store.ts";
import { AppError } from "../../errors.ts";
import { parseForeignHash } from "../../factors/foreign-hash.ts";
import { findHash } from "../../factors/phc-string.ts";
import { assertRolesFit } from "./roles.ts";

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));

/** A time: epoch seconds, or a text as ISO 8601 and databases write it; without a zone it is UTC. */
const time = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.transform(parseTime))], "is no time"),
  v.finite("is no time"),
  v.minValue(0, "is no time"),
  v.maxValue(4_102_444_800, "is no time in seconds"),
  v.transform(Math.floor),
);

function parseTime(written: string): number {
  const iso = written
    .trim()
    .replace(" ", "T")
    .replace(/([+-]\d\d)$/, (zone) => (written.includes(":") ? `${zone}:00` : zone));
  return Date.parse(/T(?!.*(?:Z|[+-]\d\d:?\d\d)$)/i.test(iso) ? `${iso}Z` : iso) / 1_000;
}

/** An account as it is imported, from whatever system. */
const importedUser = v.strictObject({
  /** As the other system knows it: a UUID is the user id here, too, and of anything else there follows one. */
  id: v.optional(v.pipe(v.union([text(256), v.number()]), v.transform(String))),
  email: v.pipe(
    v.string("must be a text"),
    v.transform(normalizeEmail),
    v.check(isEmail, "is no e-mail address of at most 254 bytes"),
  ),
  emailVerified: v.optional(v.boolean("must be true or false"), false),
  passwordHash: v.optional(v.string("must be a text")),
  roles: v.optional(v.array(v.pipe(v.string(), v.regex(rolePattern, "is no role")))),
  language: v.optional(text(35)),
  disabled: v.optional(v.boolean("must be true or false; so must enabled in the file"), false),
  createdAt: v.optional(time),
});

/** What is to become of a record: an account, perhaps without its password; or nothing, and why. */
export type ImportPlan = { user: User; isPasswordLeft: boolean } | { refused: string };

/**
 * What became of it. `there`: the account exists. `taken`: its address is another account's, or kept for one that has left it. What
 * is there is left as it is.
 */
export type ImportOutcome = "imported" | "there" | "taken";

/** Reads a record of a system as an account; `now` is in epoch seconds. No reason quotes a hash. */
export function planImport(record: unknown, { system, now }: { system: string; now: number }): ImportPlan {
  const parsed = v.safeParse(importedUser, record);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const name = v.getDotPath(issue) ?? "the record";
    if (issue.expected === "never") return { refused: `${name} is not known` };
    return { refused: `${name}: ${issue.received === "undefined" ? "is missing" : issue.message}` };
  }
  const {
    id,
    email,
    emailVerified,
    passwordHash,
    roles,
    language,
    disabled,
    createdAt = now,
  } = parsed.output;
  const hash = passwordHash && (findHash(passwordHash) ?? parseForeignHash(passwordHash));
  const user: User = {
    ...{
      userId: id === undefined ? randomUUID() : toUserId(system, id),
      email,
      createdAt,
      sessionEpoch: 0,
      sweptEpoch: 0,
    },
    ...(emailVerified && { emailVerifiedAt: createdAt }),
    ...(passwordHash && hash && { passwordHash }),
    ...(roles?.length && { roles }),
    ...(language && { language }),
    ...(disabled && { disabledAt: now }),
  };
  try {
    assertRolesFit(user);
  } catch (error) {
    return { refused: `roles: ${(error as AppError).detail}` };
  }
  return { user, isPasswordLeft: Boolean(passwordHash) && !hash };
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * The user id that follows from another system's: a UUID as it is, else the SHA-256 of `system:id` as a UUID of version 8 (RFC
 * 9562, 5.8). It is the same at each import.
 */
export function toUserId(system: string, id: string): string {
  if (uuid.test(id)) return id;
  const bytes = createHash("sha256").update(`${system}:${id}`).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Makes the use case that stores an imported account: one transaction over the user and the entry of its address. */
export function createImportUser({ directory }: { directory: Pick<Directory, "register"> }) {
  /** Never overwrites what is there. Throws AppError `unavailable`, and `email_taken` where the user id is another address's. */
  return async function importUser(user: User): Promise<ImportOutcome> {
    const outcome = await directory.register(user);
    if (outcome.is === "registered") return "imported";
    if (outcome.is === "taken") return "taken";
    if (outcome.user?.email !== user.email) throw new AppError("email_taken");
    return "there";
  };
}
