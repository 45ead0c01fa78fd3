import { randomUUID } from "node:crypto";
import { api } from "../../lib/http/api.ts";
import { answerCodeRequest } from "../../lib/http/code-request.ts";
import { registrationRequestBody } from "../../lib/http/schemas.ts";

const newAccount = () => ({ newUserId: randomUUID() });

export const handler = api().handler(
  answerCodeRequest("register", { schema: registrationRequestBody, more: newAccount }),
);
