/** A response in the HTTP API's payload format 2.0. */
export interface ApiResponse {
  statusCode: number;
  headers: Record<string, string>;
  body?: string;
  cookies?: string[];
}

/** Sent with every response that a function makes, errors included (OWASP ASVS 3.4). */
export const securityHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=63072000",
  "x-content-type-options": "nosniff",
} as const;

/** HSTS for the hosts below the API's, too (RFC 6797, 6.1.2): for an operator who knows that all of them speak TLS. */
export const hstsWithSubdomains = { "strict-transport-security": "max-age=63072000; includeSubDomains" };

/** Makes a JSON response. */
export function json(statusCode: number, body: unknown, cookies?: string[]): ApiResponse {
  return {
    statusCode,
    headers: { ...securityHeaders, "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(body),
    ...(cookies && { cookies }),
  };
}

/** Makes a response without a body: done. */
export function noContent(cookies?: string[]): ApiResponse {
  return { statusCode: 204, headers: { ...securityHeaders }, ...(cookies && { cookies }) };
}

/** Makes a response that sends the browser to a page, which it gets (RFC 9110, 15.4.4). */
export function seeOther(location: string): ApiResponse {
  return { statusCode: 303, headers: { ...securityHeaders, location } };
}

/** Makes a JSON response that anybody may keep for ten minutes. */
export function cacheableJson(body: unknown): ApiResponse {
  const response = json(200, body);
  return { ...response, headers: { ...response.headers, "cache-control": "public, max-age=600" } };
}
