import { type AppError, problems } from "../errors.ts";
import { type ApiResponse, securityHeaders } from "./response.ts";

/** Seconds after which a client may repeat a request that met a 503. */
const retryAfterSeconds = 1;

/** The problem document of a refusal (RFC 9457), as every response of the API has it. */
export function describeRefusal(refusal: AppError, requestId: string): ApiResponse & { body: string } {
  const { status, title } = problems[refusal.code];
  return {
    statusCode: status,
    headers: {
      ...securityHeaders,
      "content-type": "application/problem+json; charset=utf-8",
      ...(status === 401 && { "www-authenticate": challenge(refusal) }),
      ...(status === 503 && { "retry-after": String(retryAfterSeconds) }),
      ...refusal.headers,
    },
    body: JSON.stringify({
      type: `urn:problem:${refusal.code}`,
      title,
      status,
      detail: refusal.detail,
      instance: requestId,
      code: refusal.code,
      errors: refusal.errors,
    }),
  };
}

/** RFC 6750, section 3.1: no error code where no credentials came. */
function challenge({ code }: AppError): string {
  return code === "invalid_token" ? 'Bearer error="invalid_token"' : "Bearer";
}
