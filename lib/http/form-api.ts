import { AppError } from "../errors.ts";
import { readBytes } from "./body-bytes.ts";
import type { ApiEvent } from "./event.ts";
import { createRoute, type Route } from "./route.ts";

const formType = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;

/** What a form said; undefined on methods that send none. */
export interface FormEvent extends ApiEvent {
  body: URLSearchParams | undefined;
}

/**
 * Starts a route that takes a form, which a page of another site may send: it must decide nothing. It reads no credentials, nor
 * does it learn the client's address.
 */
export function formApi(): Route<FormEvent> {
  return createRoute({ crossSite: "let in", parseBody: parseForm }) as Route<FormEvent>;
}

/** Throws AppError `body_too_large`, `unsupported_media_type`. */
function parseForm(event: ApiEvent): URLSearchParams {
  const { body, headers } = event;
  if (typeof body !== "string" || body === "") return new URLSearchParams();
  const bytes = readBytes(body, event);
  if (!formType.test(headers["content-type"] ?? ""))
    throw new AppError("unsupported_media_type", {
      detail: "Send the body with content-type: application/x-www-form-urlencoded.",
    });
  return new URLSearchParams(bytes.toString("utf8"));
}
