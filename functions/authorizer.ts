import type { APIGatewaySimpleAuthorizerWithContextResult } from "aws-lambda";
import { AppError } from "../lib/errors.ts";
import { createAuthenticator } from "../lib/http/authenticate.ts";
import { parseEvent } from "../lib/http/event.ts";
import type { AccessClaims } from "../lib/tokens/verify-access-token.ts";

const findCaller = await createAuthenticator();

type Result = { isAuthorized: false } | APIGatewaySimpleAuthorizerWithContextResult<AccessClaims>;

/** A Lambda authorizer (HTTP API, payload 2.0, simple response) for functions in any language: claims as context. */
export async function handler(input: unknown): Promise<Result> {
  try {
    return { isAuthorized: true, context: await findCaller(parseEvent(input).credentials) };
  } catch (error) {
    if (error instanceof AppError) return { isAuthorized: false };
    throw error;
  }
}
