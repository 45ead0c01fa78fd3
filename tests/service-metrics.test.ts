import { expect, test } from "@jest/globals";
import { createAlarms } from "../build/operations/alarms.ts";
import { createDashboard } from "../build/operations/dashboard.ts";
import { clock } from "./support/clock.ts";
import { fail } from "./support/faults.ts";
import { log } from "./support/log.ts";
import { cookieOf } from "./support/pair.ts";
import { startService } from "./support/service.ts";

const service = await startService();
const { sandbox, wire } = service;
const scope = { service: "service", stage: "test", topicArn: undefined, tables: [] };
const isOurs = (metric: string) => !metric.startsWith("AWS/");

/** A metric in one text: namespace, name, dimensions with their values. */
const nameOf = (namespace: string, name: string, dimensions: [string, unknown][]) =>
  [namespace, name, ...dimensions.map(([dimension, value]) => `${dimension}=${value}`)].join(" ");

/** As CloudFormation gets them: what is made for it has no types. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

function findWatched(): string[] {
  const alarms: string[] = Object.values(asJson(createAlarms(scope))).map((alarm) => {
    const { Namespace, MetricName, Dimensions } = asJson(alarm).Properties;
    return nameOf(
      Namespace,
      MetricName,
      Dimensions.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
    );
  });
  const { DashboardBody } = asJson(createDashboard(scope)).Dashboard.Properties;
  const shown: string[] = JSON.parse(DashboardBody["Fn::Sub"]).widgets.flatMap(
    ({ properties }: { properties: { metrics: [string, string, ...unknown[]][] } }) =>
      properties.metrics.map(([namespace, name, ...rest]) => {
        const members = rest.slice(0, -1);
        const names = members.filter((_, index) => index % 2 === 0);
        return nameOf(
          namespace,
          name,
          names.map((dimension, index) => [String(dimension), members[2 * index + 1]]),
        );
      }),
  );
  return [...new Set([...alarms, ...shown])].filter(isOurs);
}

/** What CloudWatch would count of the lines that were written (embedded metric format). */
function findDeclared(): string[] {
  const found = log.entries().flatMap((entry) => {
    const { CloudWatchMetrics = [] } = (entry._aws ?? {}) as {
      CloudWatchMetrics?: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
    };
    return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) =>
        Metrics.filter(({ Name }) => entry[Name] === 1).map(({ Name }) =>
          nameOf(
            Namespace,
            Name,
            names.map((name) => [name, entry[name]]),
          ),
        ),
      ),
    );
  });
  return [...new Set(found)];
}

test("whatever of ours alarms and dashboard watch is what the lines of real requests count", async () => {
  const account = await service.register();
  const [pair, other] = [await service.logIn({ account }), await service.logIn({ account })];
  const wrong = { email: account.email, password: "not the right one" };
  for (let i = 0; i < 6; i++) await sandbox.login({ body: wrong });
  await sandbox.movies({ cookies: ["auth-cookie=x"] });
  const { token, refreshToken } = pair;
  await sandbox.refresh({ cookies: [cookieOf({ token: "x", refreshToken })] });
  await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken: other.refreshToken })] });
  await service.rotate(pair);
  clock.advance(10);
  await service.refresh(pair);
  wire.break("UpdateItem sessions", fail, { times: 3 });
  await service.refresh(other);
  // No proxy between here and the browser takes such a line.
  const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
  await service.logIn({ account: await service.register(), as: broken }).catch(() => undefined);

  const watched = findWatched();
  expect(watched.length).toBeGreaterThan(8);
  expect(watched).toContain("ServerlessAuth Refusal stage=test code=internal_error");
  const declared = findDeclared();
  expect(watched.filter((metric) => !declared.includes(metric))).toEqual([]);
});
