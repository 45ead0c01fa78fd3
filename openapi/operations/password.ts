import { knowsCaller, type Operation, takesBody } from "./operation.ts";

/** The routes of functions/password/, by the names of their functions. */
export const password = {
  changePassword: {
    route: "POST /auth/password",
    tag: "Account",
    summary: "Change the password",
    description:
      "Ends every other session of the user; this one goes on. Needs a session that has not been ended.",
    needs: "token",
    body: { schema: "PasswordChange" },
    answers: [{ status: 200, description: "The new password holds.", schemas: ["Done"] }],
    problems: [...takesBody, ...knowsCaller, "invalid_credentials", "too_many_attempts", "unavailable"],
  },
} satisfies Record<string, Operation>;
