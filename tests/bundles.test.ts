import { readFileSync, statSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Metafile } from "esbuild";
import { startDatabase } from "./support/database.ts";
import { functionNames, pathOf, tableSettings } from "./support/declared.ts";
import { type ClientRequest, createEvent, type RouteName } from "./support/event.ts";
import { invokeFresh } from "./support/fresh-process.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { pairOf } from "./support/pair.ts";
import { permissions } from "./support/permissions.ts";

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

  test.each(withDynamoDB)("%s: at most 320 KiB, with its own use case and what that needs", (name) => {
    const others: Record<string, string[]> = {
      login: ["session/revoke-all"],
      listSessions: ["session/paginate"],
      changePassword: ["prove-user", "session/revoke-all"],
      exportAccount: ["session/list"],
      deleteAccount: ["prove-user", "session/revoke-all"],
    };
    const useCases = inputs(name).filter((path) => path.startsWith("lib/auth/"));
    expect([name, useCases.map((path) => path.slice("lib/auth/".length, -".ts".length)).sort()]).toEqual([
      name,
      [pathOf(name).slice("functions/".length), ...(others[name] ?? [])].sort(),
    ]);
    expect(size(name)).toBeLessThanOrEqual(320);
  });

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

describe("which of Node's modules a function has loaded at its first answer", () => {
  const loaded: Record<string, string[]> = {};

  beforeAll(async () => {
    const database = await startDatabase();
    const env = {
      STAGE: "test",
      ISSUER: "https://api.example",
      AUDIENCE: "api",
      CLIENT_ID: "web",
      ...tableSettings,
      DYNAMODB_ENDPOINT: database.endpoint,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ROUTES: "GET /movies",
      ...keySettings(createKey("EdDSA")),
    };
    async function invoke(name: string, expected: object, request?: ClientRequest) {
      const event = createEvent(name as RouteName, request);
      const { response, modules } = await invokeFresh(`${folder}/${pathOf(name)}.mjs`, env, event);
      expect([name, response]).toEqual([name, expect.objectContaining(expected)]);
      loaded[name] = modules;
      return response;
    }

    const body = { email: "fresh@example.com", password: "a long and private sentence" };
    const done = (statusCode: number) => ({ statusCode });
    await invoke("register", done(201), { body });
    const { cookies } = pairOf(await invoke("login", done(200), { body }));
    await invoke("authorizer", { isAuthorized: true }, { cookies });
    await invoke("notFound", done(404));
    await invoke("revokeSession", done(404), { cookies, pathParameters: { sessionId: "none" } });
    const ending = ["changePassword", "revokeAllSessions", "deleteAccount", "logout"];
    const others = functionNames.filter((name) => !(name in loaded) && !ending.includes(name));
    await Promise.all(others.map((name) => invoke(name, done(200), { cookies })));
    const newPassword = "another long and private sentence";
    await invoke("changePassword", done(200), {
      cookies,
      body: { currentPassword: body.password, newPassword },
    });
    await invoke("revokeAllSessions", done(204), { cookies, query: { except: "current" } });
    await invoke("deleteAccount", done(204), { cookies, body: { password: newPassword } });
    await invoke("logout", done(200), { cookies });
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
