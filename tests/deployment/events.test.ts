import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createKey, keySettings } from "../support/keys.ts";
import { type Package, packageStage, permissionsOf, propertiesOf } from "../support/packages.ts";
import { copyProject, removeFolder } from "../support/project.ts";
import { readRecipes } from "../support/recipes.ts";
import { loadSpecification } from "./specification.ts";

// The event bus with the rules of docs/events.md, and the policies of operators.

const { findFaults } = await loadSpecification();
const [recipe = ""] = readRecipes("docs/events.md").values();
let packaged: Package;

beforeAll(async () => {
  const folder = copyProject();
  writeFileSync(join(folder, "own/resources.yml"), "Resources:\n");
  appendFileSync(join(folder, "own/resources.yml"), recipe.replace(/^Resources:\n/gm, ""));
  const settings = {
    ...{ MAIL_FROM: "auth@example.com", MAIL_LINK: "https://auth.example.com/", EVENT_BUS_NAME: "accounts" },
    ...{ OPERATOR_POLICIES: "on", KMS_KEY_ARN: "arn:aws:kms:eu-central-1:123456789012:key/1" },
    JWT_PUBLIC_KEYS: keySettings(createKey("EdDSA")).JWT_PUBLIC_KEYS,
  };
  packaged = await packageStage("prod", settings, folder);
});
afterAll(() => removeFolder(packaged.folder));

test("the bus, each rule and each policy are what CloudFormation knows", () => {
  expect(propertiesOf(packaged, "AWS::Events::EventBus")).toMatchObject([{ Name: "accounts" }]);
  expect(propertiesOf(packaged, "AWS::Events::Rule")).toHaveLength(3);
  const faults = Object.entries(packaged.resources).flatMap(([id, resource]) => findFaults(id, resource));
  expect(faults).toEqual([]);
});

test("events, and no other function, may put events, and on this bus alone", () => {
  const conditions = propertiesOf(packaged, "AWS::IAM::Role").flatMap(({ Policies = [] }) =>
    Policies.flatMap(({ PolicyDocument }: { PolicyDocument: { Statement: { Condition?: object }[] } }) =>
      PolicyDocument.Statement.flatMap(({ Condition }) => Condition ?? []),
    ),
  );
  expect(permissionsOf(packaged, "events", conditions)).toContainEqual([
    "events:PutEvents",
    { "Fn::GetAtt": ["EventBus", "Arn"] },
  ]);
  expect(JSON.stringify(packaged.resources).match(/events:PutEvents/g)).toHaveLength(1);
});

test("the policies of operators name one table each, and the key of the tables through DynamoDB alone", () => {
  const statements = propertiesOf(packaged, "AWS::IAM::ManagedPolicy").flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );
  expect(statements.length).toBeGreaterThan(8);
  for (const { Resource, Condition } of statements)
    expect(Condition ? JSON.stringify(Condition) : Object.keys(Resource)).toEqual(
      Condition ? expect.stringContaining("kms:ViaService") : [expect.stringMatching(/^Fn::(GetAtt|Sub)$/)],
    );
});
