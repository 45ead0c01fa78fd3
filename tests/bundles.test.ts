import { readdirSync, readFileSync, statSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Metafile } from "esbuild";
import { startDatabase, tableNames } from "./support/database.ts";
import { type ClientRequest, createEvent, type RouteName } from "./support/event.ts";
import { invokeFresh } from "./support/fresh-process.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { pairOf } from "./support/pair.ts";

const folder = ".local/test/bundles/functions";
const metafiles: Record<string, Metafile> = JSON.parse(readFileSync(".local/test/metafiles.json", "utf8"));
const names = readdirSync("functions").map((file) => file.replace(/\.ts$/, ""));
/** Every other function verifies only: it makes no request. */
const withDynamoDB = [
  "register",
  "login",
  "refresh",
  "logout",
  "list-sessions",
  "revoke-session",
  "revoke-all-sessions",
  "change-password",
  "export-account",
  "delete-account",
];
const verifyOnly = names.filter((name) => !withDynamoDB.includes(name));

/** Where a page and its script are in the bundle, they count, too. */
const mostKiB = (name: string) => (name === "page" ? 48 : 40);

const size = (name: string) => statSync(`${folder}/${name}.mjs`).size / 1024;
const inputs = (name: string) =>
  Object.values(metafiles[name]?.outputs ?? {}).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );

describe("what a bundle holds", () => {
  test.each(verifyOnly)("%s: at most 40 KiB (page: 48), no AWS SDK, no stores", (name) => {
    expect(inputs(name)).toContain(`functions/${name}.ts`);
    expect(
      inputs(name).filter((path) => /@aws-sdk|@smithy|dynamodb|lib\/(users|sessions|auth)\//.test(path)),
    ).toEqual([]);
    expect(size(name)).toBeLessThanOrEqual(mostKiB(name));
  });

  test.each(withDynamoDB)("%s: at most 400 KiB, with the use cases it needs only", (name) => {
    const useCases = inputs(name).filter((path) => path.startsWith("lib/auth/"));
    expect([name, useCases.map((path) => path.slice("lib/auth/".length, -".ts".length)).sort()]).toEqual([
      name,
      {
        login: ["end-sessions", "login"],
        "revoke-session": [], // one call of the store
        "revoke-all-sessions": ["end-sessions"],
        "change-password": ["change-password", "end-sessions", "verify-user"],
        "export-account": ["export-account", "list-sessions"],
        "delete-account": ["delete-account", "end-sessions", "verify-user"],
      }[name] ?? [name],
    ]);
    expect(size(name)).toBeLessThanOrEqual(400);
  });

  test("only login and refresh can sign, and only who takes a password can hash", () => {
    const holders = (path: string) => names.filter((name) => inputs(name).includes(path)).sort();
    expect(holders("lib/tokens/issue-pair.ts")).toEqual(["login", "refresh"]);
    const asking = ["change-password", "delete-account", "login"];
    expect(holders("lib/attempts/limit.ts")).toEqual(asking);
    expect(holders("lib/users/passwords.ts")).toEqual([...asking, "register"]);
    expect(holders("lib/users/common-passwords.ts")).toEqual(["change-password", "register"]);
  });

  test("nothing is taken from outside the bundle but Node's own modules", () => {
    for (const name of names) {
      const outputs = Object.values(metafiles[name]?.outputs ?? {});
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
      USERS_TABLE: tableNames.users,
      SESSIONS_TABLE: tableNames.sessions,
      ATTEMPTS_TABLE: tableNames.attempts,
      DYNAMODB_ENDPOINT: database.endpoint,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ROUTES: "GET /movies",
      ...keySettings(createKey("EdDSA")),
    };
    async function invoke(name: string, statusCode: number, request?: ClientRequest) {
      const event = createEvent(name as RouteName, request);
      const { response, modules } = await invokeFresh(`${folder}/${name}.mjs`, env, event);
      expect([name, response]).toEqual([name, expect.objectContaining({ statusCode })]);
      loaded[name] = modules;
      return response;
    }

    async function invokeAuthorizer(request: ClientRequest) {
      const event = createEvent("movies", request);
      const { response, modules } = await invokeFresh(`${folder}/authorizer.mjs`, env, event);
      expect(response).toMatchObject({ isAuthorized: true });
      loaded.authorizer = modules;
    }

    const body = { email: "fresh@example.com", password: "a long and private sentence" };
    await invoke("register", 201, { body });
    const { cookies } = pairOf(await invoke("login", 200, { body }));
    const protectedRoutes = ["movies", "me"];
    await Promise.all([
      invoke("refresh", 200, { cookies }),
      invoke("list-sessions", 200, { cookies }),
      invoke("export-account", 200, { cookies }),
      invoke("revoke-session", 404, { cookies, pathParameters: { sessionId: "none" } }),
      ...protectedRoutes.map((name) => invoke(name, 200, { cookies })),
      invokeAuthorizer({ cookies }),
      invoke("not-found", 404),
      ...["jwks", "discovery", "openapi", "page"].map((name) => invoke(name, 200)),
    ]);
    const newPassword = "another long and private sentence";
    await invoke("change-password", 200, { cookies, body: { currentPassword: body.password, newPassword } });
    await invoke("revoke-all-sessions", 204, { cookies, query: { except: "current" } });
    await invoke("delete-account", 204, { cookies, body: { password: newPassword } });
    await invoke("logout", 200, { cookies });
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
