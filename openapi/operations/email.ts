import {
  codeAsked,
  hasWholePair,
  knowsCaller,
  type Operation,
  opened,
  opensSession,
  provesUser,
  takesBody,
  userProof,
} from "./operation.ts";

/** The routes of functions/email/, by the names of their functions. */
export const email = {
  askEmailChange: {
    route: "POST /auth/email",
    tag: "By mail",
    summary: "Ask for a code to change the e-mail address",
    description: `Mails a code to the new address. It counts in this session alone, so nobody else is made the owner of an account by a click. Of the account's own address it is the proof. The answer is the same where the new address has an account. ${userProof} The whole pair and the \`Session-Key\` are needed in any case.`,
    needs: "token",
    parameters: [...opensSession],
    body: { schema: "EmailChange" },
    answers: [codeAsked],
    problems: [...takesBody, ...knowsCaller, ...provesUser, "email_changed_recently", "too_many_requests"],
  },
  confirmEmailChange: {
    route: "POST /auth/email/confirm",
    tag: "By mail",
    summary: "Change the e-mail address with a code",
    description:
      "In the session that asked: the address is the new one, every session of the user ends, and the caller goes on in a new one. The address before is told, and can undo it for seven days; so long it is nobody else's, and neither it nor the account is changed again. Of the account's own address only the proof is noted: the caller keeps the pair, and the answer has none. Needs what the request for the code needed, but for the password.",
    needs: "token",
    parameters: [...opensSession],
    body: { schema: "EmailConfirmation" },
    answers: [{ ...opened, schemas: ["ChangedEmail", "ChangedEmailPair"] }],
    problems: [
      ...takesBody,
      ...knowsCaller,
      ...hasWholePair,
      "invalid_idempotency_key",
      "invalid_code",
      "code_expired",
      "email_taken",
      "email_changed_recently",
    ],
  },
  undoEmailChange: {
    route: "POST /auth/email/undo",
    tag: "By mail",
    summary: "Undo a change of the e-mail address",
    description:
      "With the token of the mail that told the address before: it comes back, with a new password. Every session ends, and so does every other way into the account that was not there a week before the change. Opens no session: log in with the new password. The same request may be sent again.",
    body: { schema: "EmailUndoing" },
    answers: [
      {
        status: 200,
        description:
          "The address before is the account's again, the new password holds, and every session is over.",
        schemas: ["Done"],
      },
    ],
    problems: [...takesBody, "code_expired", "too_many_requests", "unavailable"],
  },
} satisfies Record<string, Operation>;
