import httpJsonBodyParser from "@middy/http-json-body-parser";
import { AppError } from "../errors.ts";
import { readBytes } from "./body-bytes.ts";
import type { ApiEvent } from "./event.ts";
import { hasRepeatedName } from "./repeated-name.ts";

/** JSON is UTF-8 (RFC 8259, section 8.1); a form or a text/plain post, which browsers send cross-site, is not it. */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// The content type is checked below, in all the forms that it may have.
const parser = httpJsonBodyParser({ disableContentTypeCheck: true });

/**
 * Parses the body of a request, if there is one, as JSON. Throws AppError `body_too_large`, `unsupported_media_type`,
 * `invalid_body`; none of them holds any of the body.
 */
export function parseJsonBody(event: ApiEvent): unknown {
  if (event.body === undefined || event.body === null || event.body === "") return undefined;
  const text = decode(event);
  if (!jsonType.test(event.headers["content-type"] ?? "")) {
    throw new AppError("unsupported_media_type", {
      detail: "Send the body with content-type: application/json.",
    });
  }
  const parsed = { headers: event.headers, body: text as unknown, isBase64Encoded: false };
  try {
    parser.before?.({ event: parsed } as never);
  } catch {
    // The parser's error carries the body, password included.
    throw invalidJson();
  }
  if (hasRepeatedName(text, parsed.body)) {
    throw new AppError("invalid_body", { detail: "The body has a name twice." });
  }
  return parsed.body;
}

function decode(event: ApiEvent): string {
  const { body } = event;
  if (typeof body !== "string") throw invalidJson();
  const bytes = readBytes(body, event);
  // The decoder skips what is not base64.
  if (event.isBase64Encoded && bytes.toString("base64") !== body) throw invalidJson();
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidJson();
  }
}

function invalidJson(): AppError {
  return new AppError("invalid_body", {
    detail: "The body is not valid JSON in UTF-8, or has a forbidden name.",
  });
}
