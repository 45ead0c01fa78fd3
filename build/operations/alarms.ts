import type { Resources } from "../template.ts";
import { type Metric, ofFunction, ofGateway, ofLambda, ofReputation, ofService, ofTable } from "./metrics.ts";

interface Alarm {
  metric: Metric;
  /** Shown to whoever is woken: what it means, and where to look. */
  description: string;
  statistic: "Sum" | "Maximum" | "p99";
  /** The alarm rings at more than this. */
  above: number;
  periodSeconds: number;
  /** The number of periods in a row; one by default. */
  periods?: number;
}

interface Scope {
  service: string;
  stage: string;
  topicArn: string | undefined;
  /** The logical ids of the tables. */
  tables: string[];
  /** Of the functions that streams feed. */
  fed: string[];
  /** Where mail is on: how many an hour are too many. */
  mailsPerHour?: number;
  /** Where users sign in with other providers. */
  hasProviders: boolean;
}

/** What somebody should look at, by logical id. */
const alarmsOf = ({ stage, tables, fed, mailsPerHour, hasProviders }: Scope): Record<string, Alarm> => ({
  ServerErrors: {
    metric: ofGateway("5xx"),
    description: "Requests are answered with 5xx: docs/runbooks.md, Many 5xx.",
    ...{ statistic: "Sum", above: 10, periodSeconds: 300 },
  },
  SlowAnswers: {
    metric: ofGateway("Latency"),
    description: "One request in a hundred takes more than 3 s, for a quarter of an hour.",
    ...{ statistic: "p99", above: 3_000, periodSeconds: 300, periods: 3 },
  },
  InternalErrors: {
    metric: ofService("Refusal", { stage, code: "internal_error" }),
    description: "A request met a bug: its line in the log has the stack.",
    ...{ statistic: "Sum", above: 0, periodSeconds: 300 },
  },
  Unavailable: {
    metric: ofService("Refusal", { stage, code: "unavailable" }),
    description: "DynamoDB or Secrets Manager fails requests: docs/runbooks.md, Requests are throttled.",
    ...{ statistic: "Sum", above: 10, periodSeconds: 300 },
  },
  Replays: {
    metric: ofService("Replay", { stage }),
    description: "Spent pairs come back more than usual: docs/runbooks.md, The alarm on replays rings.",
    ...{ statistic: "Sum", above: 10, periodSeconds: 3_600 },
  },
  RefusedLogins: {
    metric: ofService("LoginRefused", { stage }),
    description: "Far more logins are refused than usual: docs/runbooks.md, Many logins are refused.",
    ...{ statistic: "Sum", above: 1_000, periodSeconds: 300 },
  },
  RefusedFactors: {
    metric: ofService("FactorRefused", { stage }),
    description: "Passwords are right, and codes wrong: docs/runbooks.md, Many logins are refused.",
    ...{ statistic: "Sum", above: 50, periodSeconds: 3_600 },
  },
  LambdaThrottles: {
    metric: ofLambda("Throttles"),
    description: "The account's Lambda concurrency does not suffice (all functions of the region).",
    ...{ statistic: "Sum", above: 10, periodSeconds: 300 },
  },
  ...(hasProviders && {
    ProviderFailures: {
      metric: ofService("Refusal", { stage, code: "provider_unavailable" }),
      description:
        "A provider does not answer, or does not know us: docs/runbooks.md, Sign-ins with a provider fail.",
      ...{ statistic: "Sum", above: 10, periodSeconds: 3_600 },
    },
  }),
  ...(mailsPerHour !== undefined && mailAlarms(stage, mailsPerHour)),
  ...Object.assign({}, ...tables.map(tableAlarms), ...fed.map(latenessAlarm)),
});

/** SES reviews an account at 5 % of bounces and 0.1 % of complaints, and pauses it at 10 % and 0.5 %. */
const mailAlarms = (stage: string, mailsPerHour: number): Record<string, Alarm> => ({
  MailsFailed: {
    metric: ofService("MailFailed", { stage }),
    description: "SES has refused a mail for good: docs/runbooks.md, Mails are refused.",
    ...{ statistic: "Sum", above: 0, periodSeconds: 300 },
  },
  ManyMails: {
    metric: ofService("MailSent", { stage }),
    description: "More mails than usual are sent: docs/runbooks.md, Many mails are sent.",
    ...{ statistic: "Sum", above: mailsPerHour, periodSeconds: 3_600 },
  },
  Bounces: {
    metric: ofReputation("BounceRate"),
    description:
      "Many addresses do not exist (all mails of the account): docs/runbooks.md, Mails are refused.",
    ...{ statistic: "Maximum", above: 0.03, periodSeconds: 3_600 },
  },
  Complaints: {
    metric: ofReputation("ComplaintRate"),
    description: "Mails are called spam (all mails of the account): docs/runbooks.md, Mails are refused.",
    ...{ statistic: "Maximum", above: 0.0008, periodSeconds: 3_600 },
  },
});

/** A record that fails holds up what follows it in its shard. */
function latenessAlarm(id: string): Record<string, Alarm> {
  const name = id.replace(/LambdaFunction$/, "");
  const alarm: Alarm = {
    metric: ofFunction("IteratorAge", id),
    description: `The function ${name.toLowerCase()} is minutes behind: docs/runbooks.md, Mails or notices are late.`,
    ...{ statistic: "Maximum", above: 120_000, periodSeconds: 300 },
  };
  return { [`${name}Late`]: alarm };
}

function tableAlarms(id: string): Record<string, Alarm> {
  const table = id.replace(/Table$/, "");
  const throttles = (kind: "Read" | "Write"): Alarm => ({
    metric: ofTable(`${kind}ThrottleEvents`, id),
    description: `DynamoDB throttles the ${table.toLowerCase()} table: docs/runbooks.md, Requests are throttled.`,
    ...{ statistic: "Sum", above: 10, periodSeconds: 300 },
  });
  return { [`${table}ReadThrottles`]: throttles("Read"), [`${table}WriteThrottles`]: throttles("Write") };
}

/** The alarms of a stage. */
export function createAlarms(scope: Scope): Resources {
  const { service, stage, topicArn } = scope;
  const alarms = Object.entries(alarmsOf(scope));
  return Object.fromEntries(
    alarms.map(([name, { metric, description, statistic, above, periodSeconds, periods = 1 }]) => [
      `${name}Alarm`,
      {
        Type: "AWS::CloudWatch::Alarm",
        Properties: {
          AlarmName: `${service}-${stage}-${name}`,
          AlarmDescription: description,
          Namespace: metric.namespace,
          MetricName: metric.name,
          Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
          ...(statistic === "p99" ? { ExtendedStatistic: statistic } : { Statistic: statistic }),
          Period: periodSeconds,
          EvaluationPeriods: periods,
          Threshold: above,
          ComparisonOperator: "GreaterThanThreshold",
          // No requests are no trouble.
          TreatMissingData: "notBreaching",
          ...(topicArn && { AlarmActions: [topicArn], OKActions: [topicArn] }),
        },
      },
    ]),
  );
}
