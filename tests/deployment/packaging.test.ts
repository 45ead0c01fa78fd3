import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { functionTimeoutSeconds, settingVariables } from "../../lib/config.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import { createKey, keySettings } from "../support/keys.ts";
import {
  environmentOf,
  functionsOf,
  type Package,
  packageStage,
  permissionsOf,
  propertiesOf,
  roleOf,
  unpack,
} from "../support/packages.ts";
import { findUsed, type Permission, permissions } from "../support/permissions.ts";
import { createFolder, removeFolder } from "../support/project.ts";

const service = "serverless-auth-api";
const aws = (arn: string) => ({ "Fn::Sub": `arn:\${AWS::Partition}:${arn}` });
const logs = (name: string) =>
  aws(`logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${name}:*:*`);
const signingKeys = (stage: string) =>
  aws(`secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${service}-${stage}-signing-keys-??????`);

/** The action and the resource that a permission stands for. */
function statementOf(permission: Permission, stage: string): [action: string, resource: object] {
  const [operation, table] = permission.split(" ");
  if (table === undefined) return [`secretsmanager:${operation}`, signingKeys(stage)];
  return [
    `dynamodb:${operation}`,
    { "Fn::GetAtt": [`${table[0]?.toUpperCase()}${table.slice(1)}Table`, "Arn"] },
  ];
}

/** A value of its own for every setting, none of them the default. */
const everySetting: Record<string, string> = {
  ...Object.fromEntries(settingVariables.map((variable) => [variable, `value-of-${variable}`])),
  ISSUER: "https://auth.example.com",
  DYNAMODB_ENDPOINT: "https://dynamodb.example.com",
  ACCESS_TOKEN_TTL_SECONDS: "901",
  REFRESH_TOKEN_TTL_SECONDS: "86401",
  SESSION_MAX_AGE_SECONDS: "86402",
  REFRESH_WINDOW_SECONDS: "11",
  REFRESH_MIN_INTERVAL_SECONDS: "31",
  COOKIE_SAME_SITE: "Lax",
  COOKIE_DOMAIN: "example.com",
  ALLOWED_ORIGINS: "https://app.example.com, https://admin.example.com",
  PASSWORD_MIN_LENGTH: "16",
  LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "30",
  REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "6",
  SESSIONS_NOT_BEFORE: "1800000000",
  JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
};

let dev: Package;
let prod: Package;
/** A stage that serverless.yml does not name, with every setting set. */
let staging: Package;

beforeAll(async () => {
  [dev, prod] = await Promise.all([packageStage("dev"), packageStage("prod")]);
  staging = await packageStage("staging", { ...everySetting, DEMO_PAGE: "on" });
}, 120_000);

afterAll(() => {
  for (const { folder } of [dev, prod, staging]) removeFolder(folder);
});

describe.each([
  ["dev", () => dev],
  ["prod", () => prod],
  ["staging", () => staging],
] as const)("stage %s", (stage, packaged) => {
  const isDisposable = stage === "dev";

  test("I01 each function has a role of its own with exactly its permissions", () => {
    const names = Object.keys(functionsOf(packaged()));
    expect(new Set(names.map((name) => roleOf(packaged(), name))).size).toBe(names.length);
    for (const name of names) {
      const log = ["CreateLogStream", "CreateLogGroup", "PutLogEvents"].map((action) => [
        `logs:${action}`,
        logs(`${service}-${stage}-${name}`),
      ]);
      const own = permissions[name] ?? [];
      const statements = [...log, ...own.map((permission) => statementOf(permission, stage))];
      expect([name, permissionsOf(packaged(), name)]).toEqual([name, statements]);
    }
  });

  test("functions run on Node 24, arm64, with the timeout that lib/config.ts counts on", () => {
    for (const properties of Object.values(functionsOf(packaged()))) {
      expect(properties).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Timeout: functionTimeoutSeconds,
      });
    }
  });

  test("I03 tables: on demand, encrypted, with point-in-time recovery; protected outside dev stages", () => {
    const { UsersTable, SessionsTable, AttemptsTable } = packaged().resources;
    for (const table of [UsersTable, SessionsTable, AttemptsTable]) {
      expect(table?.Properties).toMatchObject({
        BillingMode: "PAY_PER_REQUEST",
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
        DeletionProtectionEnabled: !isDisposable,
      });
      const policy = isDisposable ? "Delete" : "Retain";
      expect([table?.DeletionPolicy, table?.UpdateReplacePolicy]).toEqual([policy, policy]);
    }
    const timeToLive = { AttributeName: "expiresAt", Enabled: true };
    expect(SessionsTable?.Properties.TimeToLiveSpecification).toEqual(timeToLive);
    expect(AttemptsTable?.Properties.TimeToLiveSpecification).toEqual(timeToLive);
  });

  test("each function's logs are kept for a limited time", () => {
    const groups = propertiesOf(packaged(), "AWS::Logs::LogGroup");
    const names = Object.keys(functionsOf(packaged())).map(
      (name) => `/aws/lambda/${service}-${stage}-${name}`,
    );
    const gateway = `/aws/http-api/${service}-${stage}`;
    expect(groups.map(({ LogGroupName }) => LogGroupName).sort()).toEqual([gateway, ...names].sort());
    for (const { RetentionInDays } of groups) expect(RetentionInDays).toBe(isDisposable ? 14 : 90);
  });

  test("I04 no private key is packaged; only who signs or counts attempts knows the secret with them", () => {
    const template = JSON.stringify(packaged().resources);
    expect(template).not.toContain('"JWT_SIGNING_KEYS"');
    expect(template).not.toContain("value-of-JWT_SIGNING_KEYS");
    const knowing = Object.keys(functionsOf(packaged())).filter(
      (name) => "JWT_SIGNING_KEYS_SECRET" in environmentOf(packaged(), name),
    );
    expect(knowing.sort()).toEqual(["changePassword", "deleteAccount", "login", "refresh", "register"]);
  });

  test("notFound knows exactly the gateway's routes, and gets every other request", () => {
    const keys = propertiesOf(packaged(), "AWS::ApiGatewayV2::Route").map(({ RouteKey }) => RouteKey);
    const { ROUTES } = environmentOf(packaged(), "notFound");
    expect([...ROUTES.split(","), "$default"].sort()).toEqual(keys.sort());
  });
});

describe("without any setting", () => {
  test.each([
    ["dev", () => dev, "auth-cookie"],
    ["prod", () => prod, "__Host-auth-cookie"],
  ] as const)("stage %s has tables, cookie and issuer of its own, and no CORS", (stage, packaged, cookie) => {
    expect(packaged().resources.HttpApi?.Properties).toEqual({
      Name: `${stage}-${service}`,
      ProtocolType: "HTTP",
      Tags: { service, stage },
    });
    expect(environmentOf(packaged(), "refresh")).toEqual({
      STAGE: stage,
      ISSUER: { "Fn::Sub": `https://\${HttpApi}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}` },
      AUDIENCE: "api",
      CLIENT_ID: "web",
      COOKIE_NAME: cookie,
      USERS_TABLE: `${service}-${stage}-users`,
      SESSIONS_TABLE: `${service}-${stage}-sessions`,
      ATTEMPTS_TABLE: `${service}-${stage}-attempts`,
      JWT_SIGNING_KEYS_SECRET: `${service}-${stage}-signing-keys`,
      JWT_PUBLIC_KEYS: expect.stringContaining("none"),
    });
  });
});

describe("settings of the deploying shell", () => {
  const notFromShell = ["STAGE", "ROUTES", "JWT_SIGNING_KEYS", "JWT_SIGNING_KEYS_SECRET"];

  test.each(settingVariables.filter((variable) => !notFromShell.includes(variable)))(
    "%s reaches the functions",
    (variable) => {
      expect(environmentOf(staging, "refresh")[variable]).toBe(everySetting[variable]);
    },
  );

  test("H11 ALLOWED_ORIGINS opens CORS at the gateway to exactly these origins, with credentials", () => {
    expect(staging.resources.HttpApi?.Properties.CorsConfiguration).toEqual({
      AllowOrigins: ["https://app.example.com", "https://admin.example.com"],
      AllowHeaders: ["content-type", "authorization", "auth-mode", "idempotency-key"],
      AllowMethods: ["GET", "POST", "DELETE"],
      ExposeHeaders: ["retry-after"],
      AllowCredentials: true,
    });
  });
});

describe("the demo page", () => {
  const pageRoutes = (packaged: Package) =>
    propertiesOf(packaged, "AWS::ApiGatewayV2::Route")
      .map(({ RouteKey }) => RouteKey)
      .filter((route) => /^GET \/(page\..*)?$/.test(route));

  test.each([
    ["is there in dev", () => dev, 4],
    ["is left out elsewhere", () => prod, 0],
    ["is there where DEMO_PAGE is on", () => staging, 4],
  ])("%s", (_, packaged, count) => {
    expect(pageRoutes(packaged())).toHaveLength(count);
    expect("page" in functionsOf(packaged())).toBe(count > 0);
  });

  test("is left out of dev where DEMO_PAGE is off, not where it is empty; anything else is refused", async () => {
    const [off, empty] = await Promise.all([
      packageStage("dev", { DEMO_PAGE: "off" }),
      packageStage("dev", { DEMO_PAGE: "" }),
    ]);
    for (const { folder } of [off, empty]) removeFolder(folder);
    expect(pageRoutes(empty)).toHaveLength(4);
    expect(pageRoutes(off)).toEqual([]);
    expect(functionsOf(off)).not.toHaveProperty("page");
    const failure = await packageStage("dev", { DEMO_PAGE: "yes" }).catch((error) => error);
    expect(failure.stdout + failure.stderr).toContain("DEMO_PAGE must be on or off");
  }, 60_000);
});

describe("the zips", () => {
  const files: Record<string, string[]> = {};
  let folder: string;

  beforeAll(async () => {
    folder = createFolder();
    for (const name of Object.keys(functionsOf(prod)))
      files[name] = await unpack(prod, name, join(folder, name));
  });

  afterAll(() => removeFolder(folder));

  const bundleOf = (name: string): string => functionsOf(prod)[name].Handler.replace(/\.handler$/, ".mjs");

  /** Invokes the handler in a function's zip with the packaged environment, as a deployment completes it. */
  async function invoke(name: string, request: ClientRequest = {}, without: string[] = []) {
    const env = Object.entries({
      ...environmentOf(prod, name),
      ISSUER: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com",
      JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
      AWS_REGION: "eu-central-1",
    }).filter(([variable]) => !without.includes(variable));
    const { response } = await invokeFresh(
      join(folder, name, bundleOf(name)),
      Object.fromEntries(env),
      createEvent(name as RouteName, request),
    );
    return { ...response, body: JSON.parse(response.body ?? "null") };
  }

  test("I04 hold no private key and no setting that is a secret", async () => {
    for (const name of Object.keys(functionsOf(staging))) {
      const target = join(folder, "staging", name);
      for (const file of await unpack(staging, name, target)) {
        const text = readFileSync(join(target, file), "latin1");
        expect([
          name,
          file,
          text.match(/value-of-JWT_SIGNING_KEYS|BEGIN [A-Z ]*PRIVATE[ ]KEY|"d":"/),
        ]).toEqual([name, file, null]);
      }
    }
  });

  test("hold the bundle and nothing else, but for the data files of some", () => {
    const lists: Record<string, string[]> = {
      register: ["functions/account/register.common-passwords.txt"],
      changePassword: ["functions/password/change.common-passwords.txt"],
      openapi: ["functions/documents/openapi.docs.html", "functions/documents/openapi.openapi.json"],
    };
    for (const name of Object.keys(files)) {
      const list = lists[name] ?? [];
      expect(files[name]).toEqual([...list, bundleOf(name)].sort());
    }
  });

  test.each(["movies", "me"])(
    "%s starts without any table's name and refuses a request without credentials",
    async (name) => {
      expect(await invoke(name, {}, ["USERS_TABLE", "SESSIONS_TABLE"])).toMatchObject({
        statusCode: 401,
        headers: { "content-type": expect.stringContaining("application/problem+json") },
        body: { code: "missing_credentials" },
      });
    },
  );

  test("register finds its list of common passwords", async () => {
    const list = readFileSync(
      join(folder, "register/functions/account/register.common-passwords.txt"),
      "utf8",
    );
    const words = list.split("\n");
    expect(words.length).toBeGreaterThan(17_000);
    expect(
      words.filter((word) => [...word].length < 8 || word !== word.normalize("NFKC").toLowerCase()),
    ).toEqual([]);
    const password = words.find((word) => word.length >= 15)?.toUpperCase();
    const answer = await invoke("register", { body: { email: "a@example.com", password } });
    expect([answer.statusCode, JSON.stringify(answer.body.errors)]).toEqual([
      400,
      expect.stringContaining("common"),
    ]);
  });

  test("logout and notFound answer", async () => {
    expect(await invoke("logout")).toMatchObject({ statusCode: 200 });
    expect(await invoke("notFound", { path: "/auth/login", method: "GET" })).toMatchObject({
      statusCode: 405,
    });
    expect(await invoke("notFound", { path: "/nowhere", method: "GET" })).toMatchObject({ statusCode: 404 });
  });
});

// Only after all integration tests is it known what functions send: `npm test`, then this.
const testAfterAll = findUsed() || process.env.CI ? test : test.skip;

testAfterAll("I02 each permission is needed: the integration tests have seen its function use it", () => {
  const all = Object.entries(permissions).flatMap(([route, list]) =>
    list.map((permission) => `${route}: ${permission}`),
  );
  expect(findUsed()).toEqual(all.sort());
});
