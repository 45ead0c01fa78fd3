import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { build, type Plugin } from "esbuild";
import { bundleOptions } from "../../build/bundle.ts";
import type { LambdaHandler } from "../../lib/http/route.ts";
import { operations } from "../../openapi/operations/index.ts";
import { bodyOf } from "../support/answer.ts";
import { pathOf, permissions } from "../support/declared.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { createForgery } from "../support/forgery.ts";
import { cookieOf } from "../support/pair.ts";
import { createContext } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";

// Every route is asked for each protection that it must have. Then the protection is taken out of its source, and the
// same question must be answered with no: a protection that is forgotten is seen.

const service = await startService();
const { sandbox, wire } = service;
Object.assign(process.env, service.environment);
const { pair, withClaims } = await createForgery(service);
const { cookies, refreshToken } = pair;

const { docs: _, ...routes } = operations;
const names = Object.keys(routes) as RouteName[];
// What takes a form of another site decides nothing: tests/external/apple.test.ts.
const takesForm = names.filter((name) => operationOf(name).body?.mediaType !== undefined);
const changing = names.filter(
  (name) => !operationOf(name).route.startsWith("GET ") && !takesForm.includes(name),
);
const reading = names.filter((name) => operationOf(name).route.startsWith("GET "));
const authenticated = names.filter((name) => operationOf(name).needs === "token");
const ofAccount = authenticated.filter((name) => / \/(auth|admin)\//.test(operationOf(name).route));

function operationOf(name: RouteName) {
  return operations[name as keyof typeof routes];
}

const elsewhere = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
const foreign = cookieOf({ token: withClaims({ client_id: "another" }), refreshToken });
const form = { "content-type": "text/plain" };

/** Each protection: what is sent, and the code of the problem that is answered where it holds. */
const protections = {
  "pages of other sites": { request: { headers: elsewhere, body: {} }, code: "cross_site_request" },
  "bodies that are not JSON": { request: { headers: form, body: "{}" }, code: "unsupported_media_type" },
  "tokens of other clients": { request: { body: {}, cookies: [foreign] }, code: "invalid_token" },
  "callers without credentials": { request: { body: {}, cookies: [] }, code: "missing_credentials" },
  "other methods than reading ones": {
    request: { method: "POST", headers: form, body: "{}" },
    code: "method_not_allowed",
  },
} satisfies Record<string, { request: ClientRequest; code: string }>;

/** Answers whether a handler refuses as the protection asks for, without a request to DynamoDB. */
async function holds(
  protection: keyof typeof protections,
  name: RouteName,
  handler: LambdaHandler,
): Promise<boolean> {
  const { request, code } = protections[protection];
  wire.forget();
  const response = await handler(createEvent(name, { cookies, ...request }), createContext());
  return wire.names.length === 0 && response.statusCode >= 400 && bodyOf(response).code === code;
}

let builds = 0;

/**
 * Takes something out of a file of each function, and answers what loads one of them so. All are bundled in one call,
 * when the first is asked for.
 */
function changeEach(names: RouteName[], fileOf: (name: RouteName) => string, from: RegExp, to: string) {
  const files = new Set(names.map((name) => resolve(fileOf(name))));
  const changed = new Set<string>();
  const outdir = `.local/test/protections/${++builds}`;
  const plugin: Plugin = {
    name: "changes",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!files.has(path)) return undefined;
        const source = await readFile(path, "utf8");
        if (from.test(source)) changed.add(path);
        return { contents: source.replace(from, to), loader: "ts" };
      });
    },
  };
  const bundle = () =>
    build({
      ...bundleOptions,
      plugins: [plugin, ...bundleOptions.plugins],
      entryPoints: names.map((name) => `${pathOf(name)}.ts`),
      outdir,
      outbase: ".",
      outExtension: { ".js": ".mjs" },
    });
  let bundled: Promise<unknown> | undefined;
  return async (name: RouteName): Promise<LambdaHandler> => {
    bundled ??= bundle();
    await bundled;
    // What is not found was not taken out.
    expect(changed).toContain(resolve(fileOf(name)));
    return (await import(pathToFileURL(resolve(outdir, `${pathOf(name)}.mjs`)).href)).handler;
  };
}

const call =
  (name: RouteName): LambdaHandler =>
  (event) =>
    sandbox.invoke(name, event);

const fileOf = (name: RouteName) => `${pathOf(name)}.ts`;

describe.each(changing)("%s", (name) => {
  test("refuses pages of other sites, and is open to them where the rule is taken out", async () => {
    expect(await holds("pages of other sites", name, call(name))).toBe(true);
    expect(await holds("pages of other sites", name, await withoutRule(name))).toBe(false);
  });

  test("refuses them where it lets them in, if it reads a cookie", async () => {
    const readsCookie = /\.use\((await authenticate|await adminOnly|clientMode|deviceCookie|deviceProof)\(/;
    expect(await holds("pages of other sites", name, await lettingIn(name))).toBe(
      readsCookie.test(await readFile(fileOf(name), "utf8")),
    );
  });

  test("refuses bodies that are not JSON, and takes them where that is taken out", async () => {
    expect(await holds("bodies that are not JSON", name, call(name))).toBe(true);
    expect(await holds("bodies that are not JSON", name, await readingNoBody(name))).toBe(false);
  });
});
const withoutRule = changeEach(
  changing,
  () => "lib/http/cross-site.ts",
  /return \(event\) => \{/,
  "return (event) => { return;",
);
const lettingIn = changeEach(changing, fileOf, /\bapi\(\)/, 'api({ crossSite: "let in" })');
const readingNoBody = changeEach(changing, fileOf, /\bapi\(\)/, 'api({ body: "not read" })');

test("one route takes a form of another site, and it reads no cookie, asks for no token, and has no table", async () => {
  expect(takesForm).toEqual(["formExternal"]);
  const source = await readFile(`${pathOf("formExternal")}.ts`, "utf8");
  expect(source).toContain("formApi()");
  expect(source).not.toMatch(/\.use\(|credentials|cookie|createDynamoDB/i);
  expect(permissions.formExternal).toEqual([]);
});

describe.each(reading)("%s", (name) => {
  test("refuses other methods than reading ones, and answers them where that is taken out", async () => {
    expect(await holds("other methods than reading ones", name, call(name))).toBe(true);
    expect(await holds("other methods than reading ones", name, await takingAll(name))).toBe(false);
  });
});
const takingAll = changeEach(
  reading,
  () => "lib/http/read-only-api.ts",
  /throw new AppError/,
  "new AppError",
);

describe.each(authenticated)("%s", (name) => {
  test("refuses callers without credentials, and does not where that is taken out", async () => {
    expect(await holds("callers without credentials", name, call(name))).toBe(true);
    expect(await holds("callers without credentials", name, await openToAll(name))).toBe(false);
  });
});
const openToAll = changeEach(authenticated, fileOf, /\.use\(await (authenticate|adminOnly)\(.*\)\)/, "");

describe.each(ofAccount)("%s", (name) => {
  test("J58 refuses tokens of other clients, and takes them where that is taken out", async () => {
    expect(await holds("tokens of other clients", name, call(name))).toBe(true);
    expect(await holds("tokens of other clients", name, await ofAnyClient(name))).toBe(false);
  });
});
const ofAnyClient = changeEach(
  ofAccount,
  () => "lib/tokens/verify-access-token.ts",
  /claims\.client_id !== clientId/,
  "false",
);
