import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { listSettings } from "../../lib/config.ts";
import { functionTimeoutSeconds, type Setting } from "../../lib/settings.ts";
import { declared, type Permission, permissions, tableSettings, toTable } from "../support/declared.ts";
import { routes } from "../support/event.ts";
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
import { findUsed } from "../support/permissions.ts";
import { createFolder, removeFolder } from "../support/project.ts";

const service = "serverless-auth-api";
const aws = (arn: string) => ({ "Fn::Sub": `arn:\${AWS::Partition}:${arn}` });
const logs = (name: string) =>
  aws(`logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${name}:*:*`);
const secretOf = (stage: string, keys: string) =>
  aws(`secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${service}-${stage}-${keys}-??????`);

/** What mails may be sent as: the address, its domain, with a configuration set of our own. */
const senders = [
  "configuration-set/value-of-SES_CONFIGURATION_SET",
  "identity/auth@example.com",
  "identity/example.com",
].map((name) => aws(`ses:\${AWS::Region}:\${AWS::AccountId}:${name}`));

const bus = { "Fn::GetAtt": ["EventBus", "Arn"] };

/** The action and the resources that a permission stands for; none, on a table that the stage does not have. */
function statementsOf(
  permission: Permission,
  { stage, resources }: Package,
): [action: string, resource: object][] {
  const [operation, what = ""] = permission.split(" ");
  if (what === "ses") return senders.map((sender) => [`ses:${operation}`, sender]);
  if (what.endsWith("-keys")) return [[`secretsmanager:${operation}`, secretOf(stage, what)]];
  if (what === "eventBus") return "EventBus" in resources ? [[`events:${operation}`, bus]] : [];
  const id = `${what[0]?.toUpperCase()}${what.slice(1)}Table`;
  return id in resources ? [[`dynamodb:${operation}`, { "Fn::GetAtt": [id, "Arn"] }]] : [];
}

const settings = Object.values<Setting<unknown>>(listSettings());

/** A value of its own for every setting, none of them the default. */
const everySetting: Record<string, string> = {
  ...Object.fromEntries(
    settings.map((setting) => {
      const isNumber = "unset" in setting && typeof setting.unset === "number";
      return [
        setting.variable,
        isNumber ? String(Number(setting.unset) + 1) : `value-of-${setting.variable}`,
      ];
    }),
  ),
  // Those that cannot be anything.
  ISSUER: "https://auth.example.com",
  DYNAMODB_ENDPOINT: "https://dynamodb.example.com",
  COOKIE_SAME_SITE: "Lax",
  COOKIE_DOMAIN: "example.com",
  ALLOWED_ORIGINS: "https://app.example.com, https://admin.example.com",
  ALLOWED_HEADERS: "X-Request-Id, traceparent, authorization",
  HSTS_INCLUDE_SUBDOMAINS: "on",
  TRUSTED_PROXY_SECRET: "a-secret-between-the-proxy-and-us",
  TRUSTED_PROXY_HEADER: "x-client-address",
  PASSKEY_RP_ID: "example.com",
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "google", clientId: "web", redirectUris: ["https://app.example.com/signed-in/google"] },
  ]),
  EVENT_BUS_NAME: "accounts",
  MAIL_FROM: "Example <auth@example.com>",
  MAIL_LINK: "https://app.example.com/account",
  MAIL_REPLY_TO: "help@example.com",
  MAIL_LANGUAGES: "de",
  REGISTRATION: "verified",
  NEW_DEVICE_NOTICE: "off",
  DEVICE_BOUND_SESSIONS: "off", // never with COOKIE_DOMAIN
  SES_ENDPOINT: "https://ses.example.com",
  JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
};

/** The tables whose items have an end, by the store beside their table.yml: of two, one is called what its table holds. */
const expiringTables = globSync("lib/*/table.yml").flatMap((file) => {
  const ids = [...readFileSync(file, "utf8").matchAll(/^ {2}(\w+Table):.*\n {4}Type:/gm)].map(
    ([, id = ""]) => id,
  );
  return ids.filter((id) => {
    const own = join(dirname(file), `${toTable(id)}.ts`);
    return readFileSync(existsSync(own) ? own : join(dirname(file), "store.ts"), "utf8").includes(
      "expiresAt",
    );
  });
});

/** What the role of `mail` has under a condition: what it may read of users, and what it may send as. */
const mailConditions = [
  {
    "ForAllValues:StringEquals": { "dynamodb:Attributes": ["userId", "email", "disabledAt", "deletingAt"] },
    StringEqualsIfExists: { "dynamodb:Select": "SPECIFIC_ATTRIBUTES" },
  },
  { StringEquals: { "ses:FromAddress": "auth@example.com" } },
];

/** What the framework grants to whoever reads a stream. */
const streamOf = (id: string) =>
  ["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"].map((operation) => [
    `dynamodb:${operation}`,
    { "Fn::GetAtt": [id, "StreamArn"] },
  ]);

const tablesWithoutMail = Object.entries(tableSettings).filter(
  ([variable]) => !["MAILS_TABLE", "AUDIT_TABLE"].includes(variable),
);

let dev: Package;
let prod: Package;
/** A stage that serverless.yml does not name, with every setting set. */
let staging: Package;

beforeAll(async () => {
  [dev, prod] = await Promise.all([packageStage("dev", { DEMO_PAGE: "" }), packageStage("prod")]);
  staging = await packageStage("staging", {
    ...everySetting,
    ...{ DEMO_PAGE: "on", SAMPLE: "on", DOCS: "on", EMAIL_LOGIN: "on", ADMIN_API: "on" },
  });
});

afterAll(() => {
  for (const { folder } of [dev, prod, staging]) removeFolder(folder);
});

describe.each([
  ["dev", () => dev],
  ["prod", () => prod],
  ["staging", () => staging],
] as const)("stage %s", (stage, packaged) => {
  const isDisposable = stage === "dev";
  const names = () => Object.keys(functionsOf(packaged()));

  test("I01 each function has a role of its own with exactly its permissions, on tables and secrets alone", () => {
    expect(new Set(names().map((name) => roleOf(packaged(), name))).size).toBe(names().length);
    const tables = Object.entries(packaged().resources).flatMap(([id, { Type }]) =>
      Type === "AWS::DynamoDB::Table" ? [{ "Fn::GetAtt": [id, "Arn"] }] : [],
    );
    for (const name of names()) {
      const log = ["CreateLogStream", "CreateLogGroup", "PutLogEvents"].map((action) => [
        `logs:${action}`,
        logs(`${service}-${stage}-${name}`),
      ]);
      const own = (permissions[name] ?? []).flatMap((permission) => statementsOf(permission, packaged()));
      const read = (declared.functions[name]?.events ?? []).flatMap(({ stream }) =>
        stream ? streamOf(stream.arn["Fn::GetAtt"][0]) : [],
      );
      const allowed = permissionsOf(packaged(), name, name === "mail" ? mailConditions : []);
      expect([name, allowed]).toEqual([name, [...log, ...read, ...own]]);
      for (const [action, resource] of own) {
        expect(action).toMatch(
          /^(dynamodb:\w+|secretsmanager:GetSecretValue|ses:SendEmail|events:PutEvents)$/,
        );
        const secrets = ["signing-keys", "hash-keys", "code-keys", "factor-keys", "provider-keys"].map(
          (keys) => secretOf(stage, keys),
        );
        expect([...tables, ...secrets, ...senders, bus]).toContainEqual(resource);
      }
    }
  });

  test("functions run on Node 24, arm64, with the timeout that lib/config.ts counts on", () => {
    for (const [name, properties] of Object.entries(functionsOf(packaged()))) {
      // Nobody waits for what a table feeds.
      const Timeout = name === "mail" ? 30 : functionTimeoutSeconds;
      expect([name, properties]).toMatchObject([
        name,
        { Runtime: "nodejs24.x", Architectures: ["arm64"], Timeout },
      ]);
    }
  });

  test("I03 every table: on demand, encrypted, with point-in-time recovery; protected outside dev stages", () => {
    const tables = Object.entries(packaged().resources).filter(
      ([, { Type }]) => Type === "AWS::DynamoDB::Table",
    );
    expect(tables).toHaveLength(
      (stage === "staging" ? Object.keys(tableSettings) : tablesWithoutMail).length,
    );
    for (const [id, table] of tables) {
      expect([id, table.Properties]).toEqual([
        id,
        expect.objectContaining({
          BillingMode: "PAY_PER_REQUEST",
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
          DeletionProtectionEnabled: !isDisposable,
        }),
      ]);
      const policy = isDisposable ? "Delete" : "Retain";
      expect([id, table.DeletionPolicy, table.UpdateReplacePolicy]).toEqual([id, policy, policy]);
      const timeToLive = expiringTables.includes(id)
        ? { AttributeName: "expiresAt", Enabled: true }
        : undefined;
      expect([id, table.Properties.TimeToLiveSpecification]).toEqual([id, timeToLive]);
    }
    expect(expiringTables.length).toBeGreaterThan(1);
  });

  test("each function's logs are kept for a limited time", () => {
    const groups = propertiesOf(packaged(), "AWS::Logs::LogGroup");
    const expected = names().map((name) => `/aws/lambda/${service}-${stage}-${name}`);
    const gateway = `/aws/http-api/${service}-${stage}`;
    expect(groups.map(({ LogGroupName }) => LogGroupName).sort()).toEqual([gateway, ...expected].sort());
    for (const { RetentionInDays } of groups) expect(RetentionInDays).toBe(isDisposable ? 14 : 90);
  });

  // That no private key is packaged is looked for in tests/deployment/signing-keys-deployment.test.ts.
  test.each([
    ["signing-keys", "JWT_SIGNING_KEYS_SECRET", "refresh"],
    ["hash-keys", "HASH_KEYS_SECRET", "register"],
    ["code-keys", "CODE_KEYS_SECRET", "mail"],
    ["factor-keys", "FACTOR_KEYS_SECRET", "login"],
    ["provider-keys", "PROVIDER_KEYS_SECRET", "finishExternal"],
  ])("I04 only who may read the secret of the %s knows which it is", (keys, variable, reader) => {
    const knowing = names().filter((name) => variable in environmentOf(packaged(), name));
    expect(knowing).toEqual(names().filter((name) => permissions[name]?.includes(`GetSecretValue ${keys}`)));
    expect(knowing.includes(reader)).toBe(names().includes(reader));
  });

  test("notFound knows exactly the gateway's routes, and gets every other request", () => {
    const keys = propertiesOf(packaged(), "AWS::ApiGatewayV2::Route").map(({ RouteKey }) => RouteKey);
    const { ROUTES } = environmentOf(packaged(), "notFound");
    expect([...ROUTES.split(","), "$default"].sort()).toEqual(keys.sort());
  });
});

test.each([
  ["dev", () => dev, "auth-cookie"],
  ["prod", () => prod, "__Host-auth-cookie"],
] as const)(
  "without any setting stage %s has tables, cookie and issuer of its own, and no CORS",
  (...row) => {
    const [stage, packaged, cookie] = row;
    const tables = tablesWithoutMail.map(([variable, name]) => [
      variable,
      name.replace("-test-", `-${stage}-`),
    ]);
    expect(packaged().resources.HttpApi?.Properties).toEqual({
      Name: `${stage}-${service}`,
      ProtocolType: "HTTP",
      DisableExecuteApiEndpoint: false,
      Tags: { service, stage },
    });
    expect(environmentOf(packaged(), "refresh")).toEqual({
      ...{ STAGE: stage, AUDIENCE: "api", CLIENT_ID: "web", COOKIE_NAME: cookie },
      ISSUER: { "Fn::Sub": `https://\${HttpApi}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}` },
      ...Object.fromEntries(tables),
      JWT_SIGNING_KEYS_SECRET: `${service}-${stage}-signing-keys`,
      HASH_KEYS_SECRET: `${service}-${stage}-hash-keys`,
      JWT_PUBLIC_KEYS: expect.stringContaining("none"),
    });
  },
);

test("every setting of the deploying shell reaches the functions, but for private keys", () => {
  // What only mail, passkeys and providers have goes to their functions.
  const {
    STAGE,
    ROUTES,
    PASSKEY_RP_ID,
    IDENTITY_PROVIDERS,
    MAIL_FROM,
    MAIL_LINK,
    MAILS_TABLE,
    AUDIT_TABLE,
    SES_CONFIGURATION_SET,
    ...others
  } = everySetting;
  const fromShell = Object.fromEntries(
    Object.entries(others).filter(
      ([variable]) => !/^(JWT_SIGNING|HASH|CODE|FACTOR|PROVIDER)_KEYS/.test(variable),
    ),
  );
  expect(environmentOf(staging, "refresh")).toMatchObject(fromShell);
});

test("H11 ALLOWED_ORIGINS opens CORS at the gateway to exactly these origins, with credentials", () => {
  const methods = Object.values(routes).map((route) => route.split(" ")[0]);
  expect(staging.resources.HttpApi?.Properties.CorsConfiguration).toEqual({
    AllowOrigins: ["https://app.example.com", "https://admin.example.com"],
    AllowHeaders: [
      ...["content-type", "authorization", "auth-mode"],
      ...["idempotency-key", "idempotency-key-previous", "session-key", "x-request-id", "traceparent"],
    ],
    AllowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => methods.includes(method)),
    ExposeHeaders: ["retry-after"],
    AllowCredentials: true,
  });
});

test("W05 what is fed by a stream is watched for being late; without mail no table has a stream", () => {
  const late = Object.entries(staging.resources).filter(
    ([, { Properties = {} }]) => Properties.MetricName === "IteratorAge",
  );
  expect(late.map(([id, { Properties }]) => [id, Properties.Dimensions[0].Value])).toEqual([
    ["MailLateAlarm", { Ref: "MailLambdaFunction" }],
    ["EventsLateAlarm", { Ref: "EventsLambdaFunction" }],
  ]);
  const [{ DashboardBody }] = propertiesOf(staging, "AWS::CloudWatch::Dashboard");
  expect(DashboardBody["Fn::Sub"]).toContain(`"IteratorAge","FunctionName","\${EventsLambdaFunction}"`);
  const viewOf = ({ resources }: Package) => resources.UsersTable?.Properties.StreamSpecification;
  expect(viewOf(staging)).toEqual({ StreamViewType: "NEW_AND_OLD_IMAGES" });
  expect([viewOf(prod), propertiesOf(prod, "AWS::Lambda::EventSourceMapping")]).toEqual([undefined, []]);
});

test("X62 where users sign in with providers, those that fail are watched and shown; elsewhere nothing of it is there", () => {
  const alarm = staging.resources.ProviderFailuresAlarm?.Properties;
  expect(alarm).toMatchObject({ MetricName: "Refusal", Period: 3_600, Threshold: 10 });
  expect(alarm.Dimensions).toContainEqual({ Name: "code", Value: "provider_unavailable" });
  const bodyOf = (packaged: Package) => JSON.stringify(propertiesOf(packaged, "AWS::CloudWatch::Dashboard"));
  expect(bodyOf(staging)).toContain("sign_in_refused");
  expect(bodyOf(prod)).not.toContain("sign_in_refused");
  expect(prod.resources).not.toHaveProperty("ProviderFailuresAlarm");
});

describe("the demo page", () => {
  const pageRoutes = (packaged: Package) =>
    propertiesOf(packaged, "AWS::ApiGatewayV2::Route")
      .map(({ RouteKey }) => RouteKey)
      .filter((route) => /^GET \/(page\..*)?$/.test(route));

  test.each([
    ["is there in dev, where DEMO_PAGE is empty", () => dev, 4],
    ["is left out elsewhere", () => prod, 0],
    ["is there where DEMO_PAGE is on", () => staging, 4],
  ])("%s", (_, packaged, count) => {
    expect(pageRoutes(packaged())).toHaveLength(count);
    expect("page" in functionsOf(packaged())).toBe(count > 0);
  });

  test("is left out of dev where DEMO_PAGE is off; what is neither on nor off is refused", async () => {
    const off = await packageStage("dev", { DEMO_PAGE: "off" });
    removeFolder(off.folder);
    expect(pageRoutes(off)).toEqual([]);
    expect(functionsOf(off)).not.toHaveProperty("page");
    const failure = await packageStage("dev", { DEMO_PAGE: "yes" }).catch((error) => error);
    expect(failure.stdout + failure.stderr).toContain("DEMO_PAGE must be on or off");
  });
});

test("packaging leaves nothing among temporary files", async () => {
  const TMPDIR = createFolder();
  removeFolder((await packageStage("dev", { TMPDIR })).folder);
  expect(readdirSync(TMPDIR)).toEqual([]);
  removeFolder(TMPDIR);
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

  test("hold the bundle and nothing else, but for the data files that it names", () => {
    for (const [name, [...found]] of Object.entries(files)) {
      const bundle = readFileSync(join(folder, name, bundleOf(name)), "utf8");
      const others = found.filter((file) => file !== bundleOf(name));
      expect([name, found.length - others.length]).toEqual([name, 1]);
      const isNamed = (file: string) =>
        dirname(file) === dirname(bundleOf(name)) && /\.(txt|json|html|foreign-hash\.mjs)$/.test(file);
      for (const file of others) {
        expect([name, file, isNamed(file)]).toEqual([name, file, true]);
        // The bundle makes the URL of its own.
        const ending = file.slice(file.lastIndexOf("/")).replace(/^[^.]+/, "");
        expect([name, file, bundle.includes(`"${ending}"`)]).toEqual([name, file, true]);
      }
    }
  });

  test("register has its list of common passwords", () => {
    const list = files.register?.find((file) => file.endsWith(".txt")) ?? "";
    const words = readFileSync(join(folder, "register", list), "utf8").split("\n");
    expect(words.length).toBeGreaterThan(17_000);
    const isOdd = (word: string) => [...word].length < 8 || word !== word.normalize("NFKC").toLowerCase();
    expect(words.filter(isOdd)).toEqual([]);
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
