import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type ProblemCode, problems } from "../../lib/errors.ts";
import { contracts } from "../../openapi/operations/index.ts";
import { bodyOf } from "../support/answer.ts";
import { gatewayRoutes } from "../support/declared.ts";
import { description } from "../support/description.ts";
import { routes } from "../support/event.ts";
import { run } from "../support/run.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox } = service;

describe("the description", () => {
  test("has every route of serverless.yml, and no other, but for files that pages load", () => {
    const pages = [routes.page, "GET /signed-in/{provider}"];
    const isContract = (route: string) => !pages.includes(route) && !/\.(css|js|svg)$/.test(route);
    expect(listRoutes()).toEqual(gatewayRoutes.filter(isContract));
  });

  test("has every problem of the catalogue with what to do, at a route or for those that have no place there", () => {
    const codes = Object.keys(problems) as ProblemCode[];
    for (const code of codes) {
      const { title, status } = problems[code];
      const example = description.components.examples[code];
      expect(example).toMatchObject({
        summary: title,
        value: { code, title, status, type: `urn:problem:${code}` },
      });
      expect(example.description).toMatch(/\S\n\nWhat to do: \S/);
      expect(description.components.responses[code].description).toBe(title);
    }
    expect(Object.keys(description.components.examples)).toEqual(codes);
    const text = JSON.stringify(description.paths);
    const elsewhere = codes.filter(
      (code) =>
        !text.includes(`"#/components/examples/${code}"`) &&
        !text.includes(`"#/components/responses/${code}"`),
    );
    // A role is asked for at routes of one's own, if there are any, and a method is refused by $default.
    expect(["forbidden", "method_not_allowed"]).toEqual(expect.arrayContaining(elsewhere));
  });

  test("has examples of headers that a server can send, as mock servers do", () => {
    type Header = { schema: { pattern?: string }; example?: string };
    for (const [name, { schema, example = "" }] of Object.entries<Header>(description.components.headers)) {
      expect(() => new Headers([[name, example]])).not.toThrow();
      expect([name, example]).toEqual([name, expect.stringMatching(example ? (schema.pattern ?? "") : "")]);
    }
  });

  test("begins with the URL of this deployment, for tools that have not read it there", () => {
    expect(description.servers.map(({ url }: { url: string }) => url)).toEqual([
      service.environment.ISSUER,
      "/",
    ]);
  });

  test("is OpenAPI 3.1 that Redocly finds nothing in", async () => {
    const { body = "" } = await sandbox.openapi();
    mkdirSync(".local/test/redocly", { recursive: true });
    writeFileSync(".local/test/redocly/openapi.json", body);
    const args = ["lint", ".local/test/redocly/openapi.json", "--config", "redocly.yaml"];
    const settings = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" };
    const { exitCode, stderr } = await run("node_modules/@redocly/cli/bin/cli.js", args, settings);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("Your API description is valid")]);
  });

  test("says what this deployment has set, as the page does", async () => {
    const own = service.createSandbox({ COOKIE_NAME: "__Host-auth-cookie", PASSWORD_MIN_LENGTH: "20" });
    const document = bodyOf(await own.openapi());
    expect(document.components.securitySchemes.cookie.name).toBe("__Host-auth-cookie");
    expect(document.components.schemas.Registration.properties.password.minLength).toBe(20);
    expect(bodyOf(await sandbox.openapi())).toEqual(description);
    const { body: page = "" } = await own.openapi({ path: "/docs" });
    expect(page).toContain("<code>__Host-auth-cookie</code>");
    expect(page).toContain("text, 20 to 256 characters");
    for (const text of [JSON.stringify(document), page])
      expect(text).not.toMatch(/\{(cookieName|passwordMinLength)\}/);
  });

  test("is not sent again to whoever has it", async () => {
    const { headers } = await sandbox.openapi();
    const known = { "if-none-match": headers.etag ?? "" };
    expect(await sandbox.openapi({ headers: known })).toMatchObject({ statusCode: 304 });
  });
});

describe("the page /docs", () => {
  test("has a heading for every route and every problem, links that lead somewhere, no script and no inline style", async () => {
    const { headers, body = "" } = await sandbox.openapi({ path: "/docs" });
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const ids = [...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toEqual(
      expect.arrayContaining([
        ...Object.keys(contracts),
        ...Object.keys(problems).map((code) => `problem-${code}`),
      ]),
    );
    const links = [...body.matchAll(/ href="([^"]+)"/g)].map(([, link = ""]) => link);
    const known = [...ids.map((id) => `#${id}`), "openapi.json", "docs.css", "docs.svg"];
    expect(links.filter((link) => !known.includes(link))).toEqual([]);
    expect(body).not.toMatch(/<script|<style| style=| on\w+=/i);
    expect(headingsOf(body)).not.toContain("skipped");
  });

  test.each(["/docs.css", "/docs.svg"])("%s is there", async (path) => {
    expect(await sandbox.openapi({ path })).toMatchObject({ statusCode: 200 });
  });
});

function listRoutes(): string[] {
  const paths = Object.entries<Record<string, object>>(description.paths);
  return paths
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
}

/** The levels of a page's headings, in order; "skipped" where one is missing in between. */
function headingsOf(html: string): (number | "skipped")[] {
  const levels = [...html.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
  return levels.map((level, index) => (level > (levels[index - 1] ?? 0) + 1 ? "skipped" : level));
}
