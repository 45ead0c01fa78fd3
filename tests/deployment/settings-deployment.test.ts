import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { placeholder } from "../../build/keys/public-keys.ts";
import SettingsPlugin from "../../build/settings-plugin.ts";
import { parseRoutes } from "../../lib/parse-setting.ts";
import { tableSettings } from "../support/declared.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { copyProject, removeFolder } from "../support/project.ts";
import { sls } from "../support/sls.ts";

const cwd = copyProject();
afterAll(() => removeFolder(cwd));

const { JWT_PUBLIC_KEYS } = keySettings(createKey("EdDSA"));
/** What every function has, as in a packaged template. */
const common = {
  STAGE: "prod",
  ISSUER: { "Fn::Sub": `https://\${HttpApi}.example.com` },
  AUDIENCE: "api",
  CLIENT_ID: "web",
  ...tableSettings,
  SESSIONS_TABLE: { Ref: "SessionsTable" },
  JWT_PUBLIC_KEYS,
};
const secrets = {
  ...{ JWT_SIGNING_KEYS_SECRET: "keys", HASH_KEYS_SECRET: "hash-keys" },
  FACTOR_KEYS_SECRET: "factor-keys",
};
const own = { Login: secrets, NotFound: { ROUTES: "GET /movies" }, Movies: {} };

/** What the plugin says to a template with these settings, before it is packaged or deployed. */
function check(step: "package" | "deploy", settings: object, { Movies = {} } = {}): string[] {
  const environments = Object.entries({ ...own, Movies });
  const functions = environments.map(([name, environment]) => [
    `${name}LambdaFunction`,
    { Properties: { Environment: { Variables: { ...common, ...settings, ...environment } } } },
  ]);
  const Resources = { Table: {}, Role: { Properties: {} }, ...Object.fromEntries(functions) };
  const service = { provider: { compiledCloudFormationTemplate: { Resources } } };
  const { hooks } = new SettingsPlugin({ service, classes: { Error } });
  try {
    hooks[{ package: "after:package:compileFunctions", deploy: "before:deploy:deploy" }[step]]?.();
    return [];
  } catch (error) {
    return (error as Error).message.split("\n- ").slice(1);
  }
}

test.each(["package", "deploy"] as const)("%s: sound settings, known to AWS only or not", (step) => {
  expect(check(step, {})).toEqual([]);
  expect(check(step, { ISSUER: "https://auth.example.com" })).toEqual([]);
});

test.each(["package", "deploy"] as const)("%s: everything that is wrong is listed at once", (step) => {
  const settings = {
    ...{ STAGE: "Prod", ISSUER: "auth.example.com", USERS_TABLE: "", REFRESH_WINDOW_SECONDS: "31" },
    ...{ COOKIE_NAME: "__Host-a", COOKIE_DOMAIN: "example.com", SESSIONS_NOT_BEFORE: "yesterday" },
  };
  const named = check(step, settings).map((fault) => fault.split(" ")[0]);
  const expected = ["COOKIE_DOMAIN", "ISSUER", "REFRESH_WINDOW_SECONDS", "SESSIONS_NOT_BEFORE", "STAGE"];
  expect(named.sort()).toEqual([...expected, "USERS_TABLE"]);
});

test("a setting that a single function has of its own is looked at, too", () => {
  const Movies = { ACCESS_TOKEN_TTL_SECONDS: "soon" };
  expect(check("deploy", {}, { Movies })).toEqual([expect.stringMatching(/^ACCESS_TOKEN_TTL_SECONDS /)]);
});

test("a package may lack public keys, a deployment may not; what is no key may be in neither", () => {
  const fault = [expect.stringMatching(/^JWT_PUBLIC_KEYS /)];
  expect(check("package", { JWT_PUBLIC_KEYS: placeholder })).toEqual([]);
  expect(check("deploy", { JWT_PUBLIC_KEYS: placeholder })).toEqual(fault);
  expect(check("package", { JWT_PUBLIC_KEYS: "{}" })).toEqual(fault);
});

test("`sls package` refuses them without a stack", async () => {
  const env = { PASSWORD_MIN_LENGTH: "3", ALLOWED_ORIGINS: "http://app.example.com" };
  const { stdout } = await sls(["package", "--stage", "prod"], { cwd, env }).catch((error) => error);
  expect(stdout).toMatch(/- PASSWORD_MIN_LENGTH must be .*\n- ALLOWED_ORIGINS must be https/);
  expect(stdout).not.toMatch(/^\s+at /m);
});

test.each([
  ["PATCH /hello", ["GET", "POST", "PATCH", "DELETE"]],
  ["put /hello", ["GET", "POST", "PUT", "DELETE"]],
  ["{ method: '*', path: /hello }", ["GET", "POST", "PUT", "PATCH", "DELETE"]],
])("H11 pages of listed origins may use the method of a route of one's own: %s", async (event, methods) => {
  const file = join(cwd, "functions/sample/functions.yml");
  const before = readFileSync(file, "utf8");
  const hello = `hello:\n  handler: functions/sample/movies.handler\n  events: [{ httpApi: ${event} }]\n`;
  writeFileSync(file, before + hello);
  const env = { ALLOWED_ORIGINS: "https://app.example.com" };
  const printed = JSON.parse(await sls(["print", "--stage", "prod", "--format", "json"], { cwd, env }));
  writeFileSync(file, before);
  expect(printed.provider.httpApi.cors.allowedMethods).toEqual(methods);
  expect(() => parseRoutes(printed.functions.notFound.environment.ROUTES)).not.toThrow();
});
