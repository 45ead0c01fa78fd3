import { AppError, invalidMember } from "../errors.ts";

/**
 * Reads which page the provider is to return to, if the body says so: `{"redirectUri": …}`. By hand: the function that begins
 * a sign-in holds no schemas. Throws AppError `invalid_body`.
 */
export function findRedirectUri(body: unknown): unknown {
  if (body === undefined) return undefined;
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new AppError("invalid_body", { detail: "Send a JSON object as the body." });
  const { redirectUri, ...others } = body as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw invalidMember(/^\w{1,64}$/.test(other) ? other : "another_field", "is not known");
  return redirectUri;
}
