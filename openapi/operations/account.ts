import { ended, knowsCaller, type Operation, takesBody } from "./operation.ts";

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
    description:
      "Deletes the account and all its sessions. Needs a session that has not been ended, and the password.",
    needs: "token",
    parameters: ["AuthMode"],
    body: { schema: "PasswordOnly" },
    answers: [ended],
    problems: [
      ...takesBody,
      ...knowsCaller,
      "invalid_auth_mode",
      "invalid_credentials",
      "email_changed_recently",
      "too_many_attempts",
    ],
  },
} satisfies Record<string, Operation>;
