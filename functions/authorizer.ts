import type { APIGatewaySimpleAuthorizerWithContextResult, Context } from "aws-lambda";
import { readConfig } from "../lib/config.ts";
import { createAuthenticator } from "../lib/http/authenticate.ts";
import { findRouteKey, parseEvent } from "../lib/http/event.ts";
import { noteRefusal } from "../lib/http/problem.ts";
import { logRequest, note } from "../lib/log.ts";
import type { AccessClaims } from "../lib/tokens/verify-access-token.ts";

const { stage } = readConfig(["stage"]);
const findCaller = await createAuthenticator();

type Result = { isAuthorized: false } | APIGatewaySimpleAuthorizerWithContextResult<AccessClaims>;

/** A Lambda authorizer (HTTP API, payload 2.0, simple response) for functions in any language: claims as context. */
export async function handler(input: unknown, { awsRequestId: requestId }: Context): Promise<Result> {
  const request = { requestId, route: findRouteKey(input), stage };
  const { result } = await logRequest(request, () => authorize(input));
  return result;
}

/** The result, and the status of what the caller meets. */
async function authorize(input: unknown): Promise<{ statusCode: number; result: Result }> {
  try {
    const context = await findCaller(parseEvent(input).credentials);
    note({ userId: context.sub });
    return { statusCode: 200, result: { isAuthorized: true, context } };
  } catch (error) {
    // The gateway answers every refusal with 403. A mistake of ours is one, too.
    const { code } = noteRefusal(error);
    return { statusCode: code === "internal_error" ? 500 : 403, result: { isAuthorized: false } };
  }
}
