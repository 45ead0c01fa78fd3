import { api } from "../../lib/http/api.ts";
import { answerCodeRequest } from "../../lib/http/code-request.ts";

export const handler = api().handler(await answerCodeRequest("login"));
