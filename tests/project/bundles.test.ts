import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import type { Metafile } from "esbuild";
import { stubs } from "../../build/sdk-parts.ts";
import { functionNames, pathOf, permissions } from "../support/declared.ts";
import { createEvent, type RouteName } from "../support/event.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import { createHashKey, createKey, hashKeySettings, keySettings } from "../support/keys.ts";
import { providerSettings } from "../support/service.ts";

const folder = ".local/test/bundles";
const metafile: Metafile = JSON.parse(readFileSync(".local/test/metafile.json", "utf8"));
const withDynamoDB = functionNames.filter((name) => (permissions[name] ?? []).length > 0);
/** They make no request. */
const verifyOnly = functionNames.filter((name) => !withDynamoDB.includes(name));

/** Where a page and its script are in the bundle, they count, too. */
const mostKiB = (name: string) => (name === "page" ? 96 : 42);

const size = (name: string) => statSync(`${folder}/${pathOf(name)}.mjs`).size / 1024;
const outputOf = (name: string) => metafile.outputs[`${folder}/${pathOf(name)}.mjs`];
const inputs = (name: string) =>
  Object.entries(outputOf(name)?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );

/** The use case of a function. Asking for a code may be all of it; what a table feeds answers nobody. */
function findUseCase(name: string): string {
  const path = pathOf(name).slice("functions/".length);
  // What a team has added is laid out as it likes.
  if (path.startsWith("own/")) return `functions/${path}.ts`;
  const own = path.startsWith("streams/") ? "lib/stream.ts" : `lib/auth/${path}.ts`;
  return inputs(name).includes(own) ? own : "lib/auth/ask.ts";
}

describe("what a bundle holds", () => {
  test.each(verifyOnly)("%s: at most 42 KiB (page: 96), no AWS SDK, no stores", (name) => {
    expect(inputs(name)).toContain(`${pathOf(name)}.ts`);
    expect(
      inputs(name).filter((path) => /@aws-sdk|@smithy|dynamodb|store\.ts$|lib\/auth\//.test(path)),
    ).toEqual([]);
    expect(size(name)).toBeLessThanOrEqual(mostKiB(name));
  });

  test.each(withDynamoDB)(
    "%s: at most 320 KiB, with its own use case and of others only what that imports",
    (name) => {
      const own = findUseCase(name);
      // A login comes with a password or with a passkey.
      const needed = new Set<string>([own, ...(name === "login" ? ["lib/auth/login/passkey.ts"] : [])]);
      for (const path of needed)
        for (const imported of metafile.inputs[path]?.imports ?? []) needed.add(imported.path);
      // What stands in no folder is no use case: open-session, prove-user, sweep.
      const useCases = inputs(name).filter((path) => /^lib\/auth\/\w+\//.test(path));
      expect(inputs(name)).toContain(own);
      expect([name, useCases.filter((path) => !needed.has(path))]).toEqual([name, []]);
      expect(size(name)).toBeLessThanOrEqual(320);
    },
  );

  test("only what answers with a pair can sign, and only who takes a password can hash", () => {
    const holders = (path: string) => functionNames.filter((name) => inputs(name).includes(path)).sort();
    expect(holders("lib/tokens/issue-pair.ts")).toEqual([
      ...["changePassword", "confirmEmailChange", "confirmLoginCode", "finishExternal", "login"],
      ...["proveDevice", "refresh"],
    ]);
    const asking = ["askEmailChange", "changePassword", "deleteAccount", "login"];
    const choosing = ["acceptInvitation", "changePassword", "confirmRegistration", "register"];
    choosing.push("resetPassword", "undoEmailChange");
    const opening = ["confirmEmailChange", "confirmLoginCode", "finishExternal", "resetPassword"];
    expect(holders("lib/attempts/account-limit.ts")).toEqual([...asking, ...opening].sort());
    expect(holders("lib/factors/password-hash.ts")).toEqual([...new Set([...asking, ...choosing])].sort());
    expect(holders("lib/mail/sender.ts")).toEqual(["mail"]);
    expect(holders("node_modules/@aws-sdk/client-sesv2/dist-es/SESv2Client.js")).toEqual(["mail"]);
    expect(holders("lib/factors/common-passwords.ts")).toEqual(choosing);
  });

  test("nothing is taken from outside the bundle but Node's own modules", () => {
    for (const name of functionNames) {
      const imports = outputOf(name)?.imports.map(({ path }) => path);
      expect(imports?.filter((path) => !path.startsWith("node:"))).toEqual([]);
    }
  });
});

// An update of a package may move what a cure of the bundler is for: then nothing is cured any more, and nothing says so.
test.each([
  ...stubs.map(([path]) => path),
  /^node-builtins:node:https?$/,
  /^no-words:node:http$/,
  /^lambda-credentials:@aws-sdk\/credential-provider-node$/,
  /shared-ini-file-loader\/readFile\.js$/,
  /^signatures-only:\.\/jwe_algorithms\.js$/,
  /^small-caches:mnemonist\/lru-cache$/,
  /client-dynamodb\/package\.json$/,
  /client-sesv2\/dist-es\/schemas\/schemas_\d\.js$/,
  /oauth4webapi\/build\/index\.js$/,
])("the bundler finds what it puts something else in the place of: %s", (path) => {
  expect(Object.keys(metafile.inputs)).toContainEqual(expect.stringMatching(path));
});

// What those load that ask DynamoDB is a budget of bench/.
test.each(verifyOnly)(
  "%s starts without any table, and loads no undici, web streams or http2",
  async (name) => {
    const env = {
      ...{ STAGE: "test", ISSUER: "https://api.example", AUDIENCE: "api", CLIENT_ID: "web" },
      ...{ ROUTES: "GET /movies", ...keySettings(createKey("EdDSA")) },
      ...{ ...hashKeySettings(createHashKey()), ...providerSettings },
    };
    const event = createEvent(name as RouteName);
    const { response, modules } = await invokeFresh(`${folder}/${pathOf(name)}.mjs`, env, event);
    expect(name === "authorizer" || response.statusCode < 500).toBe(true);
    expect(modules.filter((module) => /undici|webstreams|http2/.test(module))).toEqual([]);
    expect(modules.length).toBeLessThanOrEqual(170);
  },
);
