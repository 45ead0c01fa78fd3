import { expect, test } from "@jest/globals";
import { findMethods } from "./routes.ts";

const routes = [
  { method: "GET", path: "/movies" },
  { method: "GET", path: "/auth/sessions" },
  { method: "DELETE", path: "/auth/sessions" },
  { method: "DELETE", path: "/auth/sessions/{sessionId}" },
  { method: "GET", path: "/.well-known/jwks.json" },
];

const none = (path: string): [string, string[]] => [path, []];

test.each([
  ["/movies", ["GET"]],
  ["/auth/sessions", ["GET", "DELETE"]],
  ["/auth/sessions/s1", ["DELETE"]],
  ["/auth/sessions/%2F", ["DELETE"]],
  ["/.well-known/jwks.json", ["GET"]],
  ...["/.well-known/jwks_json", "/auth/sessions/", "/auth/sessions/s1/", "/auth/sessions/s1/more"].map(none),
  ...["/movies/", "/Movies", "//movies", "/", "", "movies", "/constructor", "/{sessionId}"].map(none),
])("%s takes %j", (path, methods) => {
  expect(findMethods(routes, path)).toEqual(methods);
});
