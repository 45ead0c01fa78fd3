import { auditRowSchema } from "../../lib/audit/store.ts";
import { invitationBody, recoveryBeginBody, rolesBody } from "../../lib/http/admin-schemas.ts";
import {
  accountMembers,
  bodySchema,
  type Component,
  callerMembers,
  createdAt,
  customMembers,
  formatted,
  type JsonSchema,
  nextCursor,
  object,
  optionalOfAccount,
  summary,
  summaryExample,
  text,
  time,
  timeOrNull,
  toSchema,
  userId,
} from "../schemas.ts";
import { ended, hasWholePair, knowsCaller, type Operation, takesBody } from "./operation.ts";

const needs =
  "Needs the role `admin`, a login of the last 900 s, and one with the second factor where the account has one.";
const needsPair = `${needs} Needs the whole pair of the session, and its \`Session-Key\` where it has one.`;
const pairParameters = ["AuthMode", "SessionKey"] as const;
const callerPair = { schema: "CallerPair", isOptional: true } as const;
const isAdmin = [...knowsCaller, "insufficient_user_authentication", "forbidden"] as const;
const changes = [...takesBody, ...isAdmin, ...hasWholePair] as const;
const changesUser = [...changes, "not_found", "own_account"] as const;
const changed = { status: 200, description: "The account as it is now.", schemas: ["ListedUser"] };

/** The routes of functions/admin/, by the names of their functions. */
export const admin = {
  listUsers: {
    route: "GET /admin/users",
    tag: "Administration",
    summary: "List or find users",
    description: `With \`email\` who has this address, else a page of 100 accounts in no order. ${needs}`,
    needs: "token",
    parameters: ["EmailQuery", "Cursor"],
    answers: [{ status: 200, description: "One page.", schemas: ["UserPage"] }],
    problems: [...isAdmin, "invalid_query", "invalid_cursor"],
  },
  showUser: {
    route: "GET /admin/users/{userId}",
    tag: "Administration",
    summary: "Show a user",
    description: `What is stored of an account, but for what opens it; at most 100 of its sessions. ${needs}`,
    needs: "token",
    parameters: ["UserId"],
    answers: [{ status: 200, description: "The account.", schemas: ["ShownUser"] }],
    problems: [...isAdmin, "not_found"],
  },
  listUserEvents: {
    route: "GET /admin/users/{userId}/events",
    tag: "Administration",
    summary: "List the changes of a user",
    description: `The audit trail of an account, the newest first, 100 a page; it outlives the account. Only where the operator sends mail. ${needs}`,
    needs: "token",
    parameters: ["UserId", "Cursor"],
    answers: [{ status: 200, description: "One page.", schemas: ["UserEvents"] }],
    problems: [...isAdmin, "not_found", "invalid_query", "invalid_cursor"],
  },
  disableUser: {
    route: "POST /admin/users/{userId}/disable",
    tag: "Administration",
    summary: "Disable a user",
    description: `Ends all sessions, and lets the user in no more. May be repeated. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: callerPair,
    answers: [changed],
    problems: [...changesUser],
  },
  enableUser: {
    route: "POST /admin/users/{userId}/enable",
    tag: "Administration",
    summary: "Enable a user",
    description: `Lets the user in again; a deletion of the account that has begun is off. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: callerPair,
    answers: [changed],
    problems: [...changesUser],
  },
  resetUser: {
    route: "POST /admin/users/{userId}/reset",
    tag: "Administration",
    summary: "Have a user set a new password",
    description: `Mails a link, good for a day, with which its reader sets a new password; nobody else sees it. The old one holds until then; with \`now\` it is over at once, and all sessions. Only where the operator sends mail. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: { schema: "RecoveryStart", isOptional: true },
    answers: [{ status: 202, description: "The mail is on its way.", schemas: ["SentLink"] }],
    problems: [...changesUser, "account_disabled"],
  },
  setUserRoles: {
    route: "PUT /admin/users/{userId}/roles",
    tag: "Administration",
    summary: "Set the roles of a user",
    description: `These and no others; ends all sessions, so that no token with the old ones is renewed. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: { schema: "Roles" },
    answers: [changed],
    problems: [...changesUser],
  },
  endUserSessions: {
    route: "DELETE /admin/users/{userId}/sessions",
    tag: "Administration",
    summary: "End the sessions of a user",
    description: `All of them, and logins under way; access tokens live on for at most a quarter of an hour. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: callerPair,
    answers: [ended],
    problems: [...changesUser],
  },
  deleteUser: {
    route: "DELETE /admin/users/{userId}",
    tag: "Administration",
    summary: "Delete a user",
    description: `The account and its sessions, for good. The same request goes on where it broke off. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters, "UserId"],
    body: callerPair,
    answers: [ended],
    problems: [...changesUser],
  },
  inviteUser: {
    route: "POST /admin/invitations",
    tag: "Administration",
    summary: "Invite somebody",
    description: `Mails a link, good for seven days, that opens an account with a password of its reader's choice; it works where nobody else may register, too. Only where the operator sends mail. ${needsPair}`,
    needs: "token",
    parameters: [...pairParameters],
    body: { schema: "Invitation" },
    answers: [{ status: 202, description: "The mail is on its way.", schemas: ["SentInvitation"] }],
    problems: [...changes, "email_taken"],
  },
} satisfies Record<string, Operation>;

const rolesText = "Words of letters, digits and . : @ / _ - without blanks; `none` is no role.";

const listed = object(
  {
    userId: formatted("uuid", "The user id."),
    email: formatted("idn-email", "The address."),
    createdAt: time("When the account was made."),
    emailVerifiedAt: time("When the address was proven."),
    roles: customMembers.roles as JsonSchema,
    disabledAt: time("Since when nobody is let in."),
    deletingAt: time("When its deletion began."),
    damaged: text("What is wrong with an item that cannot be read: of that one there is nothing else."),
  },
  { optional: ["email", "createdAt", "emailVerifiedAt", "roles", "disabledAt", "deletingAt", "damaged"] },
);
const listedExample = { userId, email: "ada@example.com", createdAt, roles: ["editor"] };
const mailId = text("Names the mail in `npm run users -- mails`.");
const by = `admin ${userId}`;

/** The schemas of these routes. */
export const adminSchemas: Record<string, Component> = {
  ListedUser: { schema: listed, example: listedExample },
  UserPage: {
    schema: object({ users: { type: "array", maxItems: 100, items: listed }, nextCursor }),
    example: { users: [listedExample], nextCursor: null },
  },
  ShownUser: {
    schema: object(
      {
        ...accountMembers,
        disabledAt: timeOrNull("Since when nobody is let in; null: the account is not disabled."),
        deletingAt: timeOrNull("When its deletion began; null: never."),
        linkedIdentities: { type: "integer", description: "How many identities at other providers open it." },
        sessions: { type: "array", maxItems: 100, items: object(summary) },
        moreSessions: { type: "boolean", description: "Whether there are others." },
      },
      { optional: optionalOfAccount },
    ),
    example: {
      ...{
        userId,
        email: "ada@example.com",
        emailVerifiedAt: createdAt,
        previousEmail: null,
        undoUntil: null,
      },
      ...{ language: "en", createdAt, passwordChangedAt: null, disabledAt: null, deletingAt: null },
      ...{ totp: null, recoveryCodesLeft: 0, hasPassword: true, passkeys: [], linkedIdentities: 0 },
      ...{ roles: ["editor"], lastChange: null, sessions: [summaryExample], moreSessions: false },
    },
  },
  UserEvents: {
    schema: object({
      events: { type: "array", maxItems: 100, items: toSchema(auditRowSchema) },
      nextCursor,
    }),
    example: {
      events: [
        { event: "user_archived", by, at: createdAt, requestId: "b1f0a8c4-5d7e-4e43-8a58-1f3a0f0f2b77" },
      ],
      nextCursor: null,
    },
  },
  RecoveryStart: {
    schema: bodySchema(recoveryBeginBody, {
      now: "Whether the old password is over at once, and all sessions.",
      ...callerMembers,
    }),
    example: { now: true },
  },
  SentLink: {
    schema: object({ mailId, validUntil: time("Until when the link is good.") }),
    example: { mailId: "vOnLbl3w", validUntil: createdAt + 86_400 },
  },
  Roles: {
    schema: bodySchema(rolesBody, { roles: rolesText, ...callerMembers }),
    example: { roles: ["editor"] },
  },
  Invitation: {
    schema: bodySchema(invitationBody, {
      email: "An e-mail address, in any case.",
      roles: `Those that the account will have. ${rolesText}`,
      language: "Of the mail.",
      ...callerMembers,
    }),
    example: { email: "ada@example.com", roles: ["editor"], language: "en" },
  },
  SentInvitation: {
    schema: object({
      email: formatted("idn-email", "The address."),
      mailId,
      validUntil: time("Until when the link is good."),
    }),
    example: {
      email: "ada@example.com",
      mailId: "vOnLbl3w",
      validUntil: createdAt + 604_800,
    },
  },
};
