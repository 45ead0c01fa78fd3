import { describe, expect, test } from "@jest/globals";
import { securityHeaders } from "../../lib/http/response.ts";
import { expectProblem } from "../support/answer.ts";
import { startService } from "../support/service.ts";

const { sandbox, createSandbox, expectRequests } = await startService();
const types = {
  "/": "text/html",
  "/page.css": "text/css",
  "/page.js": "text/javascript",
  "/page.svg": "image/svg+xml",
};
const paths = Object.keys(types) as (keyof typeof types)[];
const load = (path: string, headers = {}) => sandbox.page({ path, headers });

describe.each(paths)("%s", (path) => {
  test("is answered with its type, a tag, and the headers of every response, and asks no database", async () => {
    const { statusCode, headers, body, cookies } = await expectRequests([], () => load(path));
    expect([statusCode, cookies]).toEqual([200, undefined]);
    expect(body?.length).toBeGreaterThan(50);
    expect(headers).toEqual({
      ...securityHeaders,
      "content-security-policy": expect.stringMatching(/^default-src 'none'; /),
      "content-type": `${types[path]}; charset=utf-8`,
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
  });

  test("is not sent again to a browser that has it", async () => {
    const { headers } = await load(path);
    const { etag = "" } = headers;
    const { "content-type": _, ...kept } = headers;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      expect(await load(path, { "if-none-match": known })).toEqual({ statusCode: 304, headers: kept });
    }
    for (const unknown of [`${etag}x`, etag.slice(1, -1), '"other"', ""]) {
      expect((await load(path, { "if-none-match": unknown })).statusCode).toBe(200);
    }
  });
});

test("the page may load and call its own origin only, run no inline script, and be framed by nobody", async () => {
  const { headers } = await load("/");
  expect(headers["content-security-policy"]?.split("; ").sort()).toEqual([
    ...["base-uri 'none'", "connect-src 'self'", "default-src 'none'", "form-action 'none'"],
    ...["frame-ancestors 'none'", "img-src 'self'", "require-trusted-types-for 'script'"],
    ...["script-src 'self'", "style-src 'self'", "trusted-types 'none'"],
  ]);
});

test("the page knows which routes are deployed, how long a password has to be, and whether mails stay on this machine", async () => {
  const { body = "" } = await load("/");
  expect(body).toMatch(/^<!doctype html>\n<html data-routes="[^"]*,POST \/auth\/register,/);
  expect(body).not.toContain("data-mailbox");
  const local = createSandbox({
    // Where registration is closed, its route is there to say so.
    ...{ ROUTES: "GET /movies,POST /auth/login,POST /auth/register", REGISTRATION: "closed" },
    PASSWORD_MIN_LENGTH: "12",
    SES_ENDPOINT: "http://localhost:8005",
  });
  const answer = await local.page({ path: "/" });
  expect(answer.body).toContain(
    '<html data-routes="GET /movies,POST /auth/login" data-password-min="12" data-mailbox lang="en">',
  );
});

test("the page asks for nothing that is not here, and has no inline script or style", async () => {
  const { body = "" } = await load("/");
  // Relative: the page may stand behind the key of an API mapping.
  const named = [...body.matchAll(/<(?!a )[^>]* (?:src|href)="([^"]*)"/g)].map(([, path]) => `/${path}`);
  expect(named.sort()).toEqual(expect.arrayContaining(paths.slice(1)));
  expect(named.filter((path = "") => !(path in types))).toEqual([]);
  expect(body).not.toMatch(/<style| style=| on\w+=|javascript:|<script(?![^>]* src=)/i);
});

test("where a provider returns to, it is the same page, which loads its files from the level above", async () => {
  const { headers, body } = await sandbox.page({
    path: "/signed-in/test",
    routeKey: "GET /signed-in/{provider}",
  });
  const page = await load("/");
  expect(headers["content-security-policy"]).toBe(page.headers["content-security-policy"]);
  expect(body?.replaceAll('="../', '="')).toBe(page.body);
  expect(body?.match(/="\.\.\/[\w.]+"/g)?.sort()).toEqual(
    ["docs", "page.css", "page.js", "page.svg", "page.svg"].map((file) => `="../${file}"`),
  );
});

test.each(["GET /page.ts", "GET /page.js/", "POST /", "$default", "", "GET /__proto__", "constructor"])(
  "the route %j is a 404",
  async (routeKey) => {
    const response = await sandbox.page({ routeKey });
    expectProblem(response, { status: 404, code: "not_found", detail: "There is no such path." });
  },
);
