import {
  codeAsked,
  knowsCaller,
  type Operation,
  opened,
  opensSession,
  provesUser,
  takesBody,
  userProof,
} from "./operation.ts";

/** The routes of functions/password/, by the names of their functions. */
export const password = {
  forgotPassword: {
    route: "POST /auth/password/forgot",
    tag: "By mail",
    summary: "Ask for a code to set a new password",
    description:
      "Mails a code to the address, if it has an account; the answer is the same if it has none. Nothing changes until the code comes back with the challenge.",
    body: { schema: "CodeRequest" },
    answers: [codeAsked],
    problems: [...takesBody, "too_many_requests", "unavailable"],
  },
  resetPassword: {
    route: "POST /auth/password/reset",
    tag: "By mail",
    summary: "Set a new password with a code or a link",
    description:
      "Ends every session of the account, and opens none: log in with the new password. The code counts with the challenge of the answer that it was asked for with, five tries long. The same request may be sent again. A second factor stays, and the next login asks for it; here it is asked for only where the address was never proven. Where an operator has begun it, a `token` from the link in the mail takes the place of challenge and code.",
    body: { schema: "PasswordReset", orSchema: "PasswordRecovery" },
    answers: [
      { status: 200, description: "The new password holds, and every session is over.", schemas: ["Done"] },
    ],
    problems: [
      ...takesBody,
      "invalid_code",
      "code_expired",
      "second_factor_required",
      "invalid_otp",
      "too_many_attempts",
      "unavailable",
    ],
  },
  changePassword: {
    route: "POST /auth/password",
    tag: "Account",
    summary: "Change the password, or set the first one",
    description: `Ends every session of the user, and starts a new one for the caller: the pair comes the way that the credentials went. ${userProof} The session's \`Session-Key\` is needed in any case. Once in ten minutes: each change voids the codes for a new password that were mailed before.`,
    needs: "token",
    parameters: [...opensSession],
    body: { schema: "PasswordChange" },
    answers: [opened],
    problems: [...takesBody, ...knowsCaller, ...provesUser, "too_many_requests"],
  },
} satisfies Record<string, Operation>;
