import type { APIGatewaySimpleAuthorizerWithContextResult, Context } from "aws-lambda";
import { readConfig } from "../lib/config.ts";
import { problems } from "../lib/errors.ts";
import { createAuthenticator } from "../lib/http/authenticate.ts";
import { createCrossSiteRule } from "../lib/http/cross-site.ts";
import { findRouteKey, parseEvent } from "../lib/http/event.ts";
import { noteRefusal } from "../lib/http/problem.ts";
import { logRequest, note } from "../lib/log.ts";
import { originSettings } from "../lib/settings.ts";
import type { AccessClaims } from "../lib/tokens/access-claims.ts";

const { stage, ...origins } = readConfig(originSettings);
const assertSameSite = createCrossSiteRule(origins);
const findCaller = await createAuthenticator({ client: "any" });

type Result = { isAuthorized: false } | APIGatewaySimpleAuthorizerWithContextResult<AccessClaims>;

/** What came of a call, with the status of what the gateway makes of it. */
type Outcome = { statusCode: 200 | 403; result: Result } | { statusCode: 500; error: unknown };

/** A Lambda authorizer (HTTP API, payload 2.0, simple response) for functions in any language: claims as context. */
export async function handler(input: unknown, { awsRequestId: requestId }: Context): Promise<Result> {
  const request = { requestId, route: findRouteKey(input), stage };
  const outcome = await logRequest(request, () => authorize(input));
  if ("error" in outcome) throw outcome.error;
  return outcome.result;
}

async function authorize(input: unknown): Promise<Outcome> {
  try {
    const { credentials, event } = parseEvent(input, assertSameSite);
    const context = await findCaller(credentials, event);
    note({ userId: context.sub });
    return { statusCode: 200, result: { isAuthorized: true, context } };
  } catch (error) {
    const { code } = noteRefusal(error);
    if (problems[code].status >= 500) return { statusCode: 500, error };
    return { statusCode: 403, result: { isAuthorized: false } };
  }
}
