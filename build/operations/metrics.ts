import type { ProblemCode } from "../../lib/errors.ts";
import { type MetricName, metricNamespace } from "../../lib/metrics.ts";

/** A metric as CloudWatch names it. */
export interface Metric {
  namespace: string;
  name: string;
  dimensions: Record<string, unknown>;
}

/** The HTTP API's id, where the template knows it. */
export const api = { Ref: "HttpApi" };

/** A metric of the whole HTTP API. */
export const ofGateway = (name: string): Metric => ({
  namespace: "AWS/ApiGateway",
  name,
  dimensions: { ApiId: api },
});

/** A metric that the functions write into their log (lib/metrics.ts). */
export const ofService = (name: MetricName, dimensions: { stage: string; code?: ProblemCode }): Metric => ({
  namespace: metricNamespace,
  name,
  dimensions,
});

/** A metric of a table. */
export const ofTable = (name: string, table: string): Metric => ({
  namespace: "AWS/DynamoDB",
  name,
  dimensions: { TableName: { Ref: table } },
});

/** The reputation of the account in SES: pauses its sending where it is bad. */
export const ofReputation = (name: "BounceRate" | "ComplaintRate"): Metric => ({
  namespace: "AWS/SES",
  name: `Reputation.${name}`,
  dimensions: {},
});

/** All functions of the account and region: they share its concurrency. */
export const ofLambda = (name: string): Metric => ({ namespace: "AWS/Lambda", name, dimensions: {} });

/** A metric of one function, by its logical id. */
export const ofFunction = (name: string, id: string): Metric => ({
  namespace: "AWS/Lambda",
  name,
  dimensions: { FunctionName: { Ref: id } },
});
