import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf, type Refusal } from "./answer.ts";
import type { Mailbox } from "./mailbox.ts";

/** What comes back of a mail: the challenge that was answered, and the code that was mailed. */
export interface MailedCode {
  challenge: string;
  code: string;
}

/** Takes the code out of the mail that came of a request for one. */
export async function receiveCode(mailbox: Mailbox, asking: Promise<ApiResponse>): Promise<MailedCode> {
  const { challenge } = bodyOf(await asking);
  return { challenge, code: (await mailbox.receive()).code };
}

/** Another code than the right one, with its public character. */
export function wrongCode(code: string): string {
  return code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
}

export const codeRefusals = {
  wrong: { status: 400, code: "invalid_code", detail: "The code is not right." },
  expired: {
    ...{ status: 400, code: "code_expired" },
    detail: "The code was used, is too old or was asked for elsewhere. Ask for a new one.",
  },
} satisfies Record<string, Refusal>;
