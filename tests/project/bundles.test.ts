import { readFileSync, statSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Metafile } from "esbuild";
import { startDatabase } from "../support/database.ts";
import { functionNames, pathOf, permissions, tableSettings } from "../support/declared.ts";
import { type ClientRequest, createEvent, exampleRequest, type RouteName } from "../support/event.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { pairOf } from "../support/pair.ts";

const folder = ".local/test/bundles";
const metafiles: Record<string, Metafile> = JSON.parse(readFileSync(".local/test/metafiles.json", "utf8"));
const withDynamoDB = functionNames.filter((name) => (permissions[name] ?? []).length > 0);
/** They make no request. */
const verifyOnly = functionNames.filter((name) => !withDynamoDB.includes(name));

/** Where a page and its script are in the bundle, they count, too. */
const mostKiB = (name: string) => (name === "page" ? 48 : 42);

const size = (name: string) => statSync(`${folder}/${pathOf(name)}.mjs`).size / 1024;
const inputs = (name: string) =>
  Object.values(metafiles[pathOf(name)]?.outputs ?? {}).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );

describe("what a bundle holds", () => {
  test.each(verifyOnly)("%s: at most 42 KiB (page: 48), no AWS SDK, no stores", (name) => {
    expect(inputs(name)).toContain(`${pathOf(name)}.ts`);
    expect(
      inputs(name).filter((path) => /@aws-sdk|@smithy|dynamodb|store\.ts$|lib\/auth\//.test(path)),
    ).toEqual([]);
    expect(size(name)).toBeLessThanOrEqual(mostKiB(name));
  });

  test.each(withDynamoDB)(
    "%s: at most 320 KiB, with its own use case and of others only what that imports",
    (name) => {
      const { inputs: graph = {} } = metafiles[pathOf(name)] ?? {};
      const own = `lib/auth/${pathOf(name).slice("functions/".length)}.ts`;
      const needed = new Set<string>([own]);
      for (const path of needed) for (const imported of graph[path]?.imports ?? []) needed.add(imported.path);
      // What stands in no folder is no use case: open-session, prove-user, sweep.
      const useCases = inputs(name).filter((path) => /^lib\/auth\/\w+\//.test(path));
      expect([name, useCases]).toEqual([name, expect.arrayContaining([own])]);
      expect([name, useCases.filter((path) => !needed.has(path))]).toEqual([name, []]);
      expect(size(name)).toBeLessThanOrEqual(320);
    },
  );

  test("only login and refresh can sign, and only who takes a password can hash", () => {
    const holders = (path: string) => functionNames.filter((name) => inputs(name).includes(path)).sort();
    expect(holders("lib/tokens/issue-pair.ts")).toEqual(["login", "refresh"]);
    const asking = ["changePassword", "deleteAccount", "login"];
    expect(holders("lib/attempts/account-limit.ts")).toEqual(asking);
    expect(holders("lib/factors/password-hash.ts")).toEqual([...asking, "register"]);
    expect(holders("lib/factors/common-passwords.ts")).toEqual(["changePassword", "register"]);
  });

  test("nothing is taken from outside the bundle but Node's own modules", () => {
    for (const name of functionNames) {
      const outputs = Object.values(metafiles[pathOf(name)]?.outputs ?? {});
      const imports = outputs.flatMap((output) => output.imports.map(({ path }) => path));
      expect(imports.filter((path) => !path.startsWith("node:"))).toEqual([]);
    }
  });
});

describe("which of Node's modules a function has loaded at its first response", () => {
  const loaded: Record<string, string[]> = {};

  beforeAll(async () => {
    const database = await startDatabase();
    const env = {
      ...{ STAGE: "test", ISSUER: "https://api.example", AUDIENCE: "api", CLIENT_ID: "web" },
      ...{ AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      ...{ DYNAMODB_ENDPOINT: database.endpoint, DYNAMODB_TIMEOUT_MS: "10000" },
      ...{ ROUTES: "GET /movies", ...keySettings(createKey("EdDSA")) },
    };
    async function invoke(name: string, expected: object, request?: ClientRequest) {
      const event = createEvent(name as RouteName, request);
      // Who makes no request starts without the name of any table.
      const own = verifyOnly.includes(name) ? env : { ...env, ...tableSettings };
      const { response, modules } = await invokeFresh(`${folder}/${pathOf(name)}.mjs`, own, event);
      expect([name, response]).toEqual([name, expect.objectContaining(expected)]);
      loaded[name] = modules;
      return response;
    }

    const body = { email: "fresh@example.com", password: "a long and private sentence" };
    const newPassword = "another long and private sentence";
    const done = (statusCode: number) => ({ statusCode });
    const isSuccess = {
      headers: expect.not.objectContaining({ "content-type": expect.stringContaining("problem") }),
    };
    await invoke("register", done(201), { body });
    const { cookies } = pairOf(await invoke("login", done(200), { body }));
    await invoke("authorizer", { isAuthorized: true }, { cookies });
    await invoke("notFound", done(404));
    await invoke("revokeSession", done(404), { cookies, pathParameters: { sessionId: "none" } });
    const ending: [name: string, status: number, request: ClientRequest][] = [
      ["changePassword", 200, { body: { currentPassword: body.password, newPassword } }],
      ["revokeAllSessions", 204, { query: { except: "current" } }],
      ["deleteAccount", 204, { body: { password: newPassword } }],
      ["logout", 200, {}],
    ];
    const later = ending.map(([name]) => name);
    const others = functionNames.filter((name) => !(name in loaded) && !later.includes(name));
    await Promise.all(others.map((name) => invoke(name, isSuccess, exampleRequest(name, cookies))));
    for (const [name, status, request] of ending) await invoke(name, done(status), { cookies, ...request });
    await database.stop();
  });

  test.each(verifyOnly)("%s: at most 170; no undici, no web streams, no http2", (name) => {
    expect(loaded[name]?.filter((module) => /undici|webstreams|http2/.test(module))).toEqual([]);
    expect(loaded[name]?.length).toBeLessThanOrEqual(170);
  });

  test.each(withDynamoDB)("%s: no undici", (name) => {
    expect(loaded[name]).toContain("NativeModule http");
    expect(loaded[name]?.filter((module) => /undici/.test(module))).toEqual([]);
  });
});
