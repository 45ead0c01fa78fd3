import {
  codeAsked,
  ended,
  knowsCaller,
  type Operation,
  opensSession,
  provesUser,
  takesBody,
  userProof,
} from "./operation.ts";

/** The routes of functions/account/, by the names of their functions. */
export const account = {
  register: {
    route: "POST /auth/register",
    tag: "Signing in",
    summary: "Create an account",
    description:
      "Creates an account and signs nobody in. A password is refused when it is among the most common ones or contains the e-mail address; there are no rules of composition.",
    body: { schema: "Registration" },
    answers: [{ status: 201, description: "The account is there.", schemas: ["NewAccount"] }],
    problems: [...takesBody, "email_taken", "too_many_requests", "unavailable"],
  },
  askRegistration: {
    route: "POST /auth/register",
    tag: "Signing in",
    summary: "Ask for a code to create an account",
    description:
      "Where an address has to be proven first it is sent alone: the answer is a challenge, and is the same whether or not there is an account. A code goes to the address, and both go to `POST /auth/register/confirm`, with a password or with a passkey that the browser makes by the `passkey` of the answer.",
    body: { schema: "CodeRequest" },
    answers: [{ ...codeAsked, schemas: ["RegistrationAsked"] }],
    problems: [...takesBody, "too_many_requests", "unavailable"],
  },
  confirmRegistration: {
    route: "POST /auth/register/confirm",
    tag: "By mail",
    summary: "Create an account with a code",
    description:
      "Creates the account of the address that the code was mailed to, with a password, or with a passkey and without a password. Signs nobody in: log in with the one or the other. The code counts with the challenge of the answer that it was asked for with, five tries long. The same request may be sent again.",
    body: { schema: "RegistrationConfirmation" },
    answers: [{ status: 201, description: "The account is there.", schemas: ["NewAccount"] }],
    problems: [...takesBody, "invalid_code", "code_expired", "email_taken", "unavailable"],
  },
  acceptInvitation: {
    route: "POST /auth/invitations/accept",
    tag: "By mail",
    summary: "Create an account by an invitation",
    description:
      "With the token of the mail by which an operator has invited somebody: creates the account of the address that it was mailed to, and signs nobody in. Works where nobody else can register, too. The same request may be sent again.",
    body: { schema: "InvitationAcceptance" },
    answers: [{ status: 201, description: "The account is there.", schemas: ["NewAccount"] }],
    problems: [...takesBody, "code_expired", "email_taken", "unavailable"],
  },
  refuseRegistration: {
    route: "POST /auth/register",
    tag: "Signing in",
    summary: "Create no account",
    description: "Where the operator makes the accounts every registration is refused.",
    answers: [],
    problems: [
      "cross_site_request",
      "body_too_large",
      "unsupported_media_type",
      "invalid_body",
      "registration_closed",
    ],
  },
  exportAccount: {
    route: "GET /auth/account",
    tag: "Account",
    summary: "Everything stored about the caller",
    description: "All but hashes, salts and counters. Needs a session that has not been ended.",
    needs: "token",
    answers: [{ status: 200, description: "The account with its sessions.", schemas: ["Account"] }],
    problems: [...knowsCaller],
  },
  deleteAccount: {
    route: "DELETE /auth/account",
    tag: "Account",
    summary: "Delete the account",
    description: `Deletes the account and all its sessions. ${userProof}`,
    needs: "token",
    parameters: [...opensSession],
    body: { schema: "UserProof" },
    answers: [ended],
    problems: [...takesBody, ...knowsCaller, ...provesUser, "email_changed_recently"],
  },
} satisfies Record<string, Operation>;
