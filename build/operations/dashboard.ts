import type { ProblemCode } from "../../lib/errors.ts";
import type { MetricName } from "../../lib/metrics.ts";
import type { Resources } from "../template.ts";
import { type Metric, ofFunction, ofGateway, ofLambda, ofService, ofTable } from "./metrics.ts";

interface Scope {
  service: string;
  stage: string;
  /** The logical ids of the tables. */
  tables: string[];
  /** Of the functions that streams feed. */
  fed: string[];
  hasMail: boolean;
  /** Users sign in with other providers. */
  hasProviders: boolean;
}

interface Widget {
  title: string;
  metrics: Metric[];
  statistics: string[];
}

const logins: MetricName[] = ["Login", "LoginRefused", "FactorRefused", "Throttled"];
const mails: MetricName[] = ["MailSent", "MailFailed"];
const refusals: ProblemCode[] = [
  "invalid_token",
  "token_expired",
  "invalid_jwt_token",
  "invalid_refresh_token",
  "unavailable",
  "internal_error",
];

const ofProviders: ProblemCode[] = ["provider_unavailable", "sign_in_refused", "sign_in_over"];

const widgetsOf = ({ stage, tables, fed, hasMail, hasProviders }: Scope): Widget[] => [
  { title: "Requests", metrics: ["Count", "4xx", "5xx"].map(ofGateway), statistics: ["Sum"] },
  { title: "Latency (ms)", metrics: [ofGateway("Latency")], statistics: ["p50", "p99"] },
  {
    title: "Logins",
    metrics: logins.map((name) => ofService(name, { stage })),
    statistics: ["Sum"],
  },
  { title: "Replays", metrics: [ofService("Replay", { stage })], statistics: ["Sum"] },
  {
    title: "Refusals",
    metrics: refusals.map((code) => ofService("Refusal", { stage, code })),
    statistics: ["Sum"],
  },
  {
    title: "Lambda (all functions of the region)",
    metrics: ["Throttles", "Errors"].map(ofLambda),
    statistics: ["Sum"],
  },
  {
    title: "Lambda, sandboxes at once (all functions of the region)",
    metrics: [ofLambda("ConcurrentExecutions")],
    statistics: ["Maximum"],
  },
  {
    title: "DynamoDB, written units",
    metrics: tables.map((table) => ofTable("ConsumedWriteCapacityUnits", table)),
    statistics: ["Sum"],
  },
  {
    title: "DynamoDB, read units",
    metrics: tables.map((table) => ofTable("ConsumedReadCapacityUnits", table)),
    statistics: ["Sum"],
  },
  ...(hasProviders
    ? [
        {
          title: "Sign-in with providers, refused",
          metrics: ofProviders.map((code) => ofService("Refusal", { stage, code })),
          statistics: ["Sum"],
        },
      ]
    : []),
  ...(hasMail
    ? [{ title: "Mails", metrics: mails.map((name) => ofService(name, { stage })), statistics: ["Sum"] }]
    : []),
  ...(fed.length === 0
    ? []
    : [
        {
          title: "Streams, how late their functions are (ms)",
          metrics: fed.map((id) => ofFunction("IteratorAge", id)),
          statistics: ["Maximum"],
        },
      ]),
];

/** The dashboard of a stage. */
export function createDashboard(scope: Scope): Resources {
  const { service, stage } = scope;
  const widgets = widgetsOf(scope).map(({ title, metrics, statistics }, index) => ({
    type: "metric",
    ...{ x: (index % 2) * 12, y: Math.floor(index / 2) * 6, width: 12, height: 6 },
    properties: {
      ...{ title, region: reference({ Ref: "AWS::Region" }), view: "timeSeries", period: 300 },
      metrics: metrics.flatMap((metric) => statistics.map((stat) => [...pathOf(metric), { stat }])),
    },
  }));
  return {
    Dashboard: {
      Type: "AWS::CloudWatch::Dashboard",
      Properties: {
        // Dashboards are the account's, in all regions.
        DashboardName: { "Fn::Sub": `${service}-${stage}-\${AWS::Region}` },
        DashboardBody: { "Fn::Sub": JSON.stringify({ widgets }) },
      },
    },
  };
}

function pathOf({ namespace, name, dimensions }: Metric): unknown[] {
  const named = Object.entries(dimensions).flatMap(([dimension, value]) => [dimension, reference(value)]);
  return [namespace, name, ...named];
}

/** A reference as it stands in the text of `Fn::Sub`. */
const reference = (value: unknown) =>
  typeof value === "string" ? value : `\${${(value as { Ref: string }).Ref}}`;
