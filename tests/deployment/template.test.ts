import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { optionVariables, readOptions } from "../../build/operations/options.ts";
import { createKey, keySettings } from "../support/keys.ts";
import {
  functionsOf,
  type Package,
  packageStage,
  permissionsOf,
  propertiesOf,
  roleOf,
} from "../support/packages.ts";
import { removeFolder } from "../support/project.ts";
import { sls } from "../support/sls.ts";
import { loadSpecification } from "./specification.ts";

const account = "eu-central-1:123456789012";
/** Everything that can be switched on. */
const everyOption = {
  ALARM_TOPIC_ARN: `arn:aws:sns:${account}:alarms`,
  CERTIFICATE_ARN: `arn:aws:acm:${account}:certificate/1`,
  DOMAIN_NAME: "auth.example.com",
  KMS_KEY_ARN: `arn:aws:kms:${account}:key/1`,
  LOGIN_RESERVED_CONCURRENCY: "20",
  TRACING: "on",
  ALLOWED_ORIGINS: "https://app.example.com",
  JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
};

const viaDynamoDB = {
  StringEquals: { "kms:ViaService": { "Fn::Sub": `dynamodb.\${AWS::Region}.\${AWS::URLSuffix}` } },
};

const tracing = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"].map((action) => [action, "*"]);

const packages: Record<string, Package> = {};
const stages = ["dev", "prod", "prod with every option"];
const { findFaults } = await loadSpecification();

beforeAll(async () => {
  const [dev, prod] = await Promise.all([packageStage("dev"), packageStage("prod")]);
  Object.assign(packages, { dev, prod, [stages[2] ?? ""]: await packageStage("prod", everyOption) });
});

afterAll(() => {
  for (const { folder } of Object.values(packages)) removeFolder(folder);
});

const packaged = (stage: string) => packages[stage] as Package;
const optional = () => packaged("prod with every option");

describe.each(stages)("the template of %s", (stage) => {
  test("has only resources and properties that CloudFormation knows, of the right types", () => {
    const { resources } = packaged(stage);
    expect(Object.keys(resources).length).toBeGreaterThan(60);
    const faults = Object.entries(resources).flatMap(([id, resource]) => findFaults(id, resource));
    expect(faults).toEqual([]);
  });

  test("refers only to resources that it has", () => {
    const { resources } = packaged(stage);
    const text = JSON.stringify(resources);
    const named = [
      ...[...text.matchAll(/"Ref":"([^"]+)"/g)].map(([, id]) => id),
      ...[...text.matchAll(/"Fn::GetAtt":\["([^"]+)"/g)].map(([, id]) => id),
      ...[...text.matchAll(/\$\{(\w+)(?:\.\w+)?\}/g)].map(([, id]) => id),
      ...Object.values(resources).flatMap((resource) =>
        [(resource as { DependsOn?: string[] }).DependsOn ?? []].flat(),
      ),
    ];
    const unknown = named.filter((id = "") => !id.startsWith("AWS::") && !(id in resources));
    expect(unknown).toEqual([]);
  });

  // What each role allows is compared, word by word, in packaging.test.ts.
  test("has a role for each function and no other", () => {
    const { resources } = packaged(stage);
    const roles = Object.entries(resources).filter(([, { Type }]) => Type === "AWS::IAM::Role");
    const used = Object.keys(functionsOf(packaged(stage))).map((name) => roleOf(packaged(stage), name));
    expect(roles.map(([id]) => id).sort()).toEqual(used.sort());
    const policies = Object.values(resources).filter(({ Type }) => /^AWS::IAM::.*Policy$/.test(Type));
    expect(policies).toEqual([]);
  });

  test("opens nothing to the public but the API", () => {
    const { resources } = packaged(stage);
    const permissions = propertiesOf(packaged(stage), "AWS::Lambda::Permission");
    for (const { Principal, SourceArn } of permissions) {
      expect(Principal).toBe("apigateway.amazonaws.com");
      expect(JSON.stringify(SourceArn)).toContain('"Ref":"HttpApi"');
    }
    expect(propertiesOf(packaged(stage), "AWS::Lambda::Url")).toEqual([]);
    const [bucket] = propertiesOf(packaged(stage), "AWS::S3::Bucket");
    expect(bucket.BucketEncryption).toBeDefined();
    const policies = Object.values(resources).filter(({ Type }) => Type === "AWS::S3::BucketPolicy");
    for (const { Properties } of policies) {
      for (const { Effect } of Properties.PolicyDocument.Statement) expect(Effect).toBe("Deny");
    }
  });

  test("has no log that holds a header, a cookie or a query", () => {
    const [{ AccessLogSettings }] = propertiesOf(packaged(stage), "AWS::ApiGatewayV2::Stage");
    const format = JSON.parse(AccessLogSettings.Format);
    expect(Object.values(format).join()).not.toMatch(/header|cookie|query|path|authorizer/i);
    expect(format).toMatchObject({ requestId: "$context.requestId", status: "$context.status" });
  });

  test("lets the gateway throttle each route, logins far below refreshes, and waits for the routes", () => {
    const { resources } = packaged(stage);
    const { DependsOn, Properties } = resources.HttpApiStage as unknown as {
      DependsOn: string[];
      Properties: Record<string, never>;
    };
    const { DefaultRouteSettings, RouteSettings } = Properties as Record<string, Record<string, number>>;
    expect(DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 2_000 });
    const logins = { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 };
    expect(RouteSettings?.["POST /auth/login"]).toEqual(logins);
    expect(RouteSettings).not.toHaveProperty("POST /auth/refresh");
    const routes = Object.entries(resources).filter(([, { Type }]) => Type === "AWS::ApiGatewayV2::Route");
    expect(DependsOn).toEqual(expect.arrayContaining(routes.map(([id]) => id)));
    const keys = routes.map(([, route]) => route.Properties.RouteKey);
    expect(Object.keys(RouteSettings ?? {}).filter((key) => !keys.includes(key))).toEqual([]);
  });

  test("carries the service and the stage as tags", () => {
    const tags = [
      { Key: "service", Value: "serverless-auth-api" },
      { Key: "stage", Value: stage.split(" ")[0] },
    ];
    for (const { Tags } of propertiesOf(packaged(stage), "AWS::Lambda::Function")) expect(Tags).toEqual(tags);
  });
});

describe("without an option", () => {
  test("a dev stage has neither alarms nor a dashboard; prod has both, and they tell nobody yet", () => {
    expect(propertiesOf(packaged("dev"), "AWS::CloudWatch::Alarm")).toEqual([]);
    expect(propertiesOf(packaged("dev"), "AWS::CloudWatch::Dashboard")).toEqual([]);
    const alarms = propertiesOf(packaged("prod"), "AWS::CloudWatch::Alarm");
    expect(alarms.map(({ MetricName }) => MetricName)).toEqual(
      expect.arrayContaining(["5xx", "Latency", "Refusal", "Replay", "Throttles", "WriteThrottleEvents"]),
    );
    for (const alarm of alarms) expect(alarm).not.toHaveProperty("AlarmActions");
    const [{ DashboardBody }] = propertiesOf(packaged("prod"), "AWS::CloudWatch::Dashboard");
    const body = JSON.parse(DashboardBody["Fn::Sub"].replaceAll(/\$\{[^}]+\}/g, "x"));
    expect(body.widgets.length).toBeGreaterThan(5);
    // A count's maximum would be 1, however many there are: functions report each by itself.
    const shown = body.widgets.flatMap(({ properties }: { properties: { metrics: unknown[][] } }) =>
      properties.metrics.map((metric) => [metric[1], (metric.at(-1) as { stat: string }).stat]),
    );
    expect(shown.filter(([, stat]: string[]) => stat === "Maximum")).toEqual([
      ["ConcurrentExecutions", "Maximum"],
    ]);
  });

  test("nothing is traced, reserved, encrypted with a key of one's own, or served from a domain of one's own", () => {
    const text = JSON.stringify(packaged("prod").resources);
    for (const word of ["TracingConfig", "xray", "ReservedConcurrentExecutions", "kms", "DomainName"]) {
      expect(text).not.toContain(word);
    }
  });
});

describe("with every option", () => {
  test("alarms go to the topic", () => {
    const topic = [everyOption.ALARM_TOPIC_ARN];
    for (const { AlarmActions, OKActions } of propertiesOf(optional(), "AWS::CloudWatch::Alarm"))
      expect([AlarmActions, OKActions]).toEqual([topic, topic]);
  });

  test("the API is served from the domain alone, which is the issuer", () => {
    const [{ DisableExecuteApiEndpoint }] = propertiesOf(optional(), "AWS::ApiGatewayV2::Api");
    expect(DisableExecuteApiEndpoint).toBe(true);
    const [domain] = propertiesOf(optional(), "AWS::ApiGatewayV2::DomainName");
    expect(domain).toMatchObject({ DomainName: "auth.example.com" });
    expect(propertiesOf(optional(), "AWS::ApiGatewayV2::ApiMapping")).toEqual([
      { ApiId: { Ref: "HttpApi" }, DomainName: "auth.example.com", Stage: "$default" },
    ]);
    expect(functionsOf(optional()).login.Environment.Variables.ISSUER).toBe("https://auth.example.com");
  });

  test("tables and logs are encrypted with the key; a role may trace, use the key through DynamoDB if it uses a table, and no more than before", () => {
    const { KMS_KEY_ARN } = everyOption;
    const encrypted = { SSEEnabled: true, SSEType: "KMS", KMSMasterKeyId: KMS_KEY_ARN };
    for (const { SSESpecification } of propertiesOf(optional(), "AWS::DynamoDB::Table"))
      expect(SSESpecification).toEqual(encrypted);
    for (const { KmsKeyId } of propertiesOf(optional(), "AWS::Logs::LogGroup"))
      expect(KmsKeyId).toBe(KMS_KEY_ARN);
    for (const name of Object.keys(functionsOf(optional()))) {
      const allowed = permissionsOf(optional(), name, [viaDynamoDB]);
      const usesTable = allowed.some(([action]) => action.startsWith("dynamodb:"));
      const kms = usesTable ? ["kms:Decrypt", "kms:DescribeKey"] : [];
      const added = [...kms.map((action) => [action, KMS_KEY_ARN]), ...tracing];
      const own = permissionsOf(packaged("prod"), name);
      expect([name, allowed]).toEqual([name, expect.arrayContaining([...own, ...added])]);
      expect(allowed).toHaveLength(own.length + added.length);
    }
  });

  test("logins have the reserved concurrency, and functions are traced", () => {
    for (const [name, properties] of Object.entries(functionsOf(optional()))) {
      const { ReservedConcurrentExecutions: reserved, TracingConfig: tracing } = properties;
      expect([name, reserved, tracing]).toEqual([
        ...[name, name === "login" ? 20 : undefined, { Mode: "Active" }],
      ]);
    }
  });
});

test("an option that cannot be is refused, with all that is wrong", async () => {
  const env = { KMS_KEY_ARN: "alias/mine", TRACING: "yes", DOMAIN_NAME: "auth.example.com" };
  const failure = await sls(["package", "--stage", "prod"], { env }).catch((error) => error);
  expect(failure.stdout + failure.stderr).toMatch(
    /- KMS_KEY_ARN must be .*\n- TRACING must be on or off\n- DOMAIN_NAME and CERTIFICATE_ARN must be set together/,
  );
});

test("an option that is empty counts as unset", () => {
  expect(readOptions(Object.fromEntries(optionVariables.map((name) => [name, ""])))).toEqual(readOptions({}));
});

test("a domain name is a host name, in lower case, of a domain", () => {
  const read = (name: string) => () =>
    readOptions({ DOMAIN_NAME: name, CERTIFICATE_ARN: everyOption.CERTIFICATE_ARN }).domain;
  for (const name of ["auth.example.com", "a.b-c.xn--p1ai", `${"a".repeat(63)}.example.com`])
    expect(read(name)()?.name).toBe(name);
  for (const name of [
    ...[`${"a".repeat(64)}.example.com`, `${"a.".repeat(126)}abc`, "-.--", "auth-.example.com", "localhost"],
    ...["-auth.example.com", "auth..example.com", "example.com.", "192.0.2.1", "Auth.example.com"],
    "auth.example.com/",
  ])
    expect(read(name)).toThrow("- DOMAIN_NAME must be a host name such as auth.example.com");
});

test("two stages and two regions clash in no name that is the account's", () => {
  const named = ["LogGroupName", "FunctionName", "RoleName", "TableName", "AlarmName", "BucketName"];
  const namesOf = ({ resources }: Package) =>
    Object.values(resources)
      .filter(({ Type }) => Type !== "AWS::Lambda::Permission")
      .flatMap(({ Properties = {} }) => named.flatMap((name) => Properties[name] ?? []));
  const texts = (names: unknown[]) => names.map((name) => JSON.stringify(name));
  const [dev, prod] = [texts(namesOf(packaged("dev"))), texts(namesOf(packaged("prod")))];
  expect(prod.length).toBeGreaterThan(40);
  expect(prod.filter((name) => dev.includes(name))).toEqual([]);
  // Roles and dashboards are the account's, in all regions.
  for (const { RoleName } of propertiesOf(packaged("prod"), "AWS::IAM::Role")) {
    if (RoleName) expect(JSON.stringify(RoleName)).toContain("AWS::Region");
  }
  const [dashboard] = propertiesOf(packaged("prod"), "AWS::CloudWatch::Dashboard");
  expect(JSON.stringify(dashboard.DashboardName)).toContain("AWS::Region");
});
