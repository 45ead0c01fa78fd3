import { createHash } from "node:crypto";
import { AppError } from "../errors.ts";
import type { ApiEvent } from "./event.ts";
import { type ApiResponse, securityHeaders } from "./response.ts";
import { trimBlanks } from "./trim-blanks.ts";

/** A file that browsers load: its media type, its text. */
export interface StaticFile {
  type: "text/html" | "text/css" | "text/javascript" | "image/svg+xml" | "application/json";
  text: string;
}

/** What a page may load and do: its own origin's files and API, no inline script, no markup made of strings. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Makes a handler that answers each route with its file, whatever stands before the route's path (an API mapping's key).
 * Browsers ask anew at each load (304 when nothing has changed, RFC 9110, 13.1.2), so that no page meets the script of
 * another deployment. Throws AppError for any other route.
 */
export function serveStatic(files: Record<string, StaticFile>): (event: ApiEvent) => ApiResponse {
  const answers = new Map(Object.entries(files).map(([path, file]) => [path, toAnswer(file)]));
  return ({ routeKey, headers }) => {
    const answer = answers.get(routeKey.replace("GET ", ""));
    if (!answer) throw new AppError("not_found", { detail: "There is no such path." });
    if (!isKnown(answer.headers.etag, headers["if-none-match"])) return answer;
    const { "content-type": _, ...others } = answer.headers;
    return { statusCode: 304, headers: others };
  };
}

function toAnswer({ type, text }: StaticFile) {
  return {
    statusCode: 200,
    headers: {
      ...securityHeaders,
      ...(type === "text/html" && { "content-security-policy": pagePolicy }),
      "cache-control": "no-cache",
      "content-type": `${type}; charset=utf-8`,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      etag: `"${createHash("sha256").update(text).digest("base64url")}"`,
    },
    body: text,
  };
}

/** A gateway or proxy that compresses makes a tag weak; `*` is any tag. */
function isKnown(etag: string, ifNoneMatch = ""): boolean {
  if (trimBlanks(ifNoneMatch) === "*") return true;
  return ifNoneMatch.split(",").some((tag) => trimBlanks(tag).replace(/^W\//, "") === etag);
}
