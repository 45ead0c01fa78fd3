import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { functionsOf, type Package, packageStage, permissionsOf, propertiesOf } from "../support/packages.ts";
import { copyProject, removeFolder } from "../support/project.ts";
import { sls } from "../support/sls.ts";

const topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
const settings = { MAIL_FROM: "Example <auth@mail.example.com>", MAIL_LINK: "https://app.example.com/" };
const withMail = { ...settings, ALLOWED_ORIGINS: "https://app.example.com" };

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

/** Packages stage prod. */
async function packageProd(env: Record<string, string>, folder = copyProject()): Promise<Package> {
  folders.push(folder);
  return packageStage("prod", env, folder);
}

/** The template that CloudFormation would get, but for the time in the names of the zips. */
function templateOf({ folder }: Package): string {
  const template = join(folder, ".serverless/cloudformation-template-update-stack.json");
  return readFileSync(template, "utf8").replaceAll(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}

/** Takes every line of mail out of what is declared, as if nobody had written one. */
function cutMail(folder: string): void {
  const rewrite = (file: string, cut: (text: string) => string) => {
    const path = join(folder, file);
    writeFileSync(path, cut(readFileSync(path, "utf8")));
  };
  const needsMail = /onlyWith: \{[^}]*(?:MAIL_FROM: set|EMAIL_LOGIN: on|REGISTRATION: verified)/;
  const without = (text: string, parts: RegExp, unwanted: RegExp) =>
    text
      .split(parts)
      .filter((part) => !unwanted.test(part))
      .join("");
  const keep = (statement: string) => (/(?:Mails|Audit)Table/.test(statement) ? "" : statement);
  for (const file of globSync("functions/**/functions.yml"))
    rewrite(file, (text) =>
      without(text, /^(?=\S)/m, needsMail).replace(/^ {4}- Effect.*\n(?: {6}.*\n)+/gm, keep),
    );
  for (const file of globSync("lib/*/table.yml"))
    rewrite(file, (text) => without(text, /^(?= {2}\S)/m, needsMail));
  rewrite("serverless.yml", (text) =>
    text.replace(
      /^ {2}- \$\{file\((?:lib\/(?:mail|audit)\/table|functions\/(?:streams|email)\/functions)\.yml\)\}\n/gm,
      "",
    ),
  );
}

test("without MAIL_FROM the template is, byte for byte, that of a service which has no mail", async () => {
  const folder = copyProject();
  cutMail(folder);
  const [off, never] = await Promise.all([packageProd({}), packageProd({}, folder)]);
  expect(templateOf(off)).toBe(templateOf(never));
  expect(templateOf(off)).not.toMatch(/mails?table|mails_table|"ses:|code-keys|StreamSpecification/i);
});

test("L05 with it alone the stream of mails feeds the function that sends them, and nobody signs in by a code", async () => {
  const packaged = await packageProd({ ...withMail, ALARM_TOPIC_ARN: topic, MAIL_ALARM_PER_HOUR: "50" });
  const table = propertiesOf(packaged, "AWS::DynamoDB::Table").find(({ TableName }) =>
    /-mails$/.test(TableName),
  );
  expect(table).toMatchObject({
    TableName: "serverless-auth-api-prod-mails",
    StreamSpecification: { StreamViewType: "NEW_IMAGE" },
  });
  const ofMails = propertiesOf(packaged, "AWS::Lambda::EventSourceMapping").filter(
    ({ EventSourceArn }) => EventSourceArn["Fn::GetAtt"][0] === "MailsTable",
  );
  expect(ofMails).toEqual([
    expect.objectContaining({
      ...{ BatchSize: 10, ParallelizationFactor: 10, MaximumRecordAgeInSeconds: 86_400, Enabled: true },
      ...{ BisectBatchOnFunctionError: true, FunctionResponseTypes: ["ReportBatchItemFailures"] },
      EventSourceArn: { "Fn::GetAtt": ["MailsTable", "StreamArn"] },
      FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] },
      // A record that is given up is told of: its place in the stream, not what is in it.
      DestinationConfig: { OnFailure: { Destination: topic } },
    }),
  ]);
  const role = packaged.resources.MailIamRoleLambdaExecution?.Properties;
  expect(JSON.stringify(role)).toContain(
    JSON.stringify({ Effect: "Allow", Action: "sns:Publish", Resource: topic }).slice(1, -1),
  );
  expect(propertiesOf(packaged, "AWS::SES::ConfigurationSet")).toEqual([
    {
      Name: "serverless-auth-api-prod",
      SuppressionOptions: { SuppressedReasons: ["BOUNCE", "COMPLAINT"] },
      ReputationOptions: { ReputationMetricsEnabled: true },
    },
  ]);
  // No event of opening or clicking, which would rewrite links.
  expect(propertiesOf(packaged, "AWS::SES::ConfigurationSetEventDestination")).toEqual([]);
  const alarms = propertiesOf(packaged, "AWS::CloudWatch::Alarm");
  const named = (name: string) =>
    alarms.find(({ AlarmName }) => AlarmName === `serverless-auth-api-prod-${name}`);
  expect(named("ManyMails")).toMatchObject({ MetricName: "MailSent", Threshold: 50, Period: 3_600 });
  expect(named("MailsFailed")).toMatchObject({
    MetricName: "MailFailed",
    Threshold: 0,
    AlarmActions: [topic],
  });
  expect(named("MailLate")).toMatchObject({ MetricName: "IteratorAge", Threshold: 120_000 });
  expect(named("Bounces")).toMatchObject({ Namespace: "AWS/SES", Threshold: 0.03, Dimensions: [] });
  expect(named("Complaints")).toMatchObject({ Namespace: "AWS/SES", Threshold: 0.0008 });
  expect(Object.keys(functionsOf(packaged))).toEqual(expect.arrayContaining(["mail", "forgotPassword"]));
  // Of the three functions that may register it has the one that asks.
  const registering = Object.keys(functionsOf(packaged)).filter((name) => /regist|LoginCode/i.test(name));
  expect(registering.sort()).toEqual(["askRegistration", "confirmRegistration"]);
  const asking = permissionsOf(packaged, "forgotPassword").map(([action]) => action);
  expect(asking.filter((action) => /ses|Get(Item|Records)/.test(action))).toEqual([]);
});

test.each([
  ["a link to elsewhere", { ...withMail, MAIL_LINK: "https://example.org/" }, "MAIL_LINK must be a page of"],
  [
    "a link by plain http",
    { ...withMail, MAIL_LINK: "http://app.example.com/" },
    "MAIL_LINK must be an https URL",
  ],
  ["no link", { MAIL_FROM: settings.MAIL_FROM }, "MAIL_LINK is missing"],
  ["no address", { ...withMail, MAIL_FROM: "Example" }, "MAIL_FROM must be an e-mail address"],
  [
    "registration by mail without mail",
    { REGISTRATION: "verified" },
    "REGISTRATION=verified needs MAIL_FROM",
  ],
  ["sign-in by mail without mail", { EMAIL_LOGIN: "on" }, "EMAIL_LOGIN=on needs MAIL_FROM"],
])("%s is not packaged", async (_, env, fault) => {
  const cwd = copyProject();
  folders.push(cwd);
  const failure = await sls(["package", "--stage", "prod"], {
    cwd,
    env: { ...env, ISSUER: "https://auth.example.com" },
  }).catch((error) => error);
  expect(failure.stdout + failure.stderr).toContain(fault);
});
