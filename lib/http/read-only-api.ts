import { AppError } from "../errors.ts";
import type { ApiEvent } from "./event.ts";
import { createRoute, type Route } from "./route.ts";

/**
 * Starts a route that only reads: GET, HEAD and OPTIONS. It refuses every other method, so it needs no parser of bodies,
 * and its bundle holds none; nor does it learn the client's address. For a route that changes something there is `api`.
 */
export function readOnlyApi(): Route<ApiEvent> {
  return createRoute({
    parseBody() {
      throw new AppError("method_not_allowed", {
        detail: "This path takes GET.",
        headers: { allow: "GET" },
      });
    },
  });
}
