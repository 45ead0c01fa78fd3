import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createKey, keySettings } from "../support/keys.ts";
import { type Package, packageStage, propertiesOf } from "../support/packages.ts";
import { removeFolder } from "../support/project.ts";

interface Statement {
  Action: string[];
  Resource: string | string[];
}

const text = readFileSync("docs/deploy-policy.json", "utf8");
const statements: Statement[] = JSON.parse(text).Statement;

/** What makes each kind of resource that a stage can have. */
const makers: Record<string, string> = {
  "AWS::ApiGatewayV2::Api": "apigateway:POST",
  "AWS::ApiGatewayV2::ApiMapping": "apigateway:POST",
  "AWS::ApiGatewayV2::Authorizer": "apigateway:POST",
  "AWS::ApiGatewayV2::DomainName": "apigateway:POST",
  "AWS::ApiGatewayV2::Integration": "apigateway:POST",
  "AWS::ApiGatewayV2::Route": "apigateway:POST",
  "AWS::ApiGatewayV2::Stage": "apigateway:POST",
  "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
  "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
  "AWS::DynamoDB::Table": "dynamodb:CreateTable",
  "AWS::Events::EventBus": "events:CreateEventBus",
  "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
  "AWS::IAM::Role": "iam:CreateRole",
  "AWS::Lambda::EventSourceMapping": "lambda:CreateEventSourceMapping",
  "AWS::Lambda::Function": "lambda:CreateFunction",
  "AWS::Lambda::Permission": "lambda:AddPermission",
  "AWS::Logs::LogGroup": "logs:CreateLogGroup",
  "AWS::S3::Bucket": "s3:CreateBucket",
  "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
  "AWS::SES::ConfigurationSet": "ses:CreateConfigurationSet",
};

let packaged: Package;
beforeAll(async () => {
  packaged = await packageStage("prod", {
    ...{ MAIL_FROM: "auth@example.com", MAIL_LINK: "https://auth.example.com/", EMAIL_LOGIN: "on" },
    ...{ OPERATOR_POLICIES: "on", ADMIN_API: "on", EVENT_BUS_NAME: "accounts" },
    ...{ DEMO_PAGE: "on", SAMPLE: "on", DOCS: "on", DOMAIN_NAME: "auth.example.com" },
    CERTIFICATE_ARN: "arn:aws:acm:eu-central-1:123456789012:certificate/1",
    JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
  });
});
afterAll(() => removeFolder(packaged.folder));

test("the policy allows to make every kind of resource that a stage has, and no more kinds", () => {
  const kinds = Object.values(packaged.resources).map(({ Type }) => Type);
  expect([...new Set(kinds)].sort()).toEqual(Object.keys(makers));
  const allowed = statements.flatMap(({ Action }) => Action);
  expect(Object.values(makers).filter((action) => !allowed.includes(action))).toEqual([]);
});

test("what it allows on functions and roles is for those of this service", () => {
  const names = propertiesOf(packaged, "AWS::Lambda::Function").map(({ FunctionName }) => FunctionName);
  expect(names.filter((name) => !name.startsWith("serverless-auth-api-"))).toEqual([]);
  const widest = statements.filter(({ Resource }) => Resource === "*").flatMap(({ Action }) => Action);
  expect(widest.filter((action) => /^(iam|s3|dynamodb|secretsmanager|ses):/.test(action))).toEqual([]);
  const passed = statements.find(({ Action }) => Action.includes("iam:PassRole"));
  expect(passed).toMatchObject({
    Resource: "arn:aws:iam::*:role/serverless-auth-api-*",
    Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } },
  });
});

test("it fits a managed policy of IAM: 6,144 characters without blanks", () => {
  expect(text.replace(/\s/g, "").length).toBeLessThanOrEqual(6_144);
});

test("the bucket of deployments is closed to the public", () => {
  const [bucket] = propertiesOf(packaged, "AWS::S3::Bucket");
  expect(Object.values(bucket.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
});
