import { AppError } from "../errors.ts";
import type { ApiEvent } from "./event.ts";
import { trimBlanks } from "./trim-blanks.ts";

/** Larger bodies are refused before they are parsed. */
const maxBytes = 16_384;

/**
 * Gives the bytes of a body. Throws AppError `body_too_large`, and `unsupported_media_type` for one that is compressed: it must
 * not be read as if it were not (RFC 9110, 8.4).
 */
export function readBytes(body: string, { headers, isBase64Encoded }: ApiEvent): Buffer {
  const encoding = trimBlanks(headers["content-encoding"] ?? "").toLowerCase();
  if (encoding !== "" && encoding !== "identity")
    throw new AppError("unsupported_media_type", { detail: "Send the body without a content-encoding." });
  const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  if (bytes.length > maxBytes)
    throw new AppError("body_too_large", { detail: `The body may have at most ${maxBytes} bytes.` });
  return bytes;
}
