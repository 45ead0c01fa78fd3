import { systemClockMs } from "./clock.ts";
import type { SecurityEvent } from "./events.ts";

/** Where CloudWatch keeps the metrics. */
export const metricNamespace = "ServerlessAuth";

/**
 * The metrics: each has the dimension `stage`; that of refusals has `code`, too, and those of mails are there once more with
 * `kind`.
 */
export type MetricName =
  | "Login"
  | "LoginRefused"
  | "FactorRefused"
  | "Throttled"
  | "Replay"
  | "Refusal"
  | "MailSent"
  | "MailFailed";

/** The metric that counts an event; a refusal is also counted by its code. */
const metricNames: Partial<Record<SecurityEvent, MetricName>> = {
  authn_login_success: "Login",
  authn_login_fail: "LoginRefused",
  authn_factor_fail: "FactorRefused",
  authn_login_lock: "Throttled",
  excess_rate_limit_exceeded: "Throttled",
  authn_token_reuse: "Replay",
};

const mailMetrics: Record<string, MetricName> = { sent: "MailSent", failed: "MailFailed" };

/** Metrics in CloudWatch's embedded metric format: it counts them from the log, and no request is sent for it. */
export function createMetrics({ event, code }: { event?: SecurityEvent; code?: string }): object {
  const name = event && metricNames[event];
  if (!name && !code) return {};
  return toMetrics([
    ...(name ? [{ name, dimensions: [["stage"]] }] : []),
    ...(code ? [{ name: "Refusal" as const, dimensions: [["stage", "code"]] }] : []),
  ]);
}

/** The metric of a mail, for a line that has its `kind`. */
export function createMailMetric(outcome: string): object {
  const name = mailMetrics[outcome];
  return name ? toMetrics([{ name, dimensions: [["stage"], ["stage", "kind"]] }]) : {};
}

function toMetrics(metrics: { name: MetricName; dimensions: string[][] }[]): object {
  return {
    ...Object.fromEntries(metrics.map(({ name }) => [name, 1])),
    _aws: {
      Timestamp: systemClockMs(),
      CloudWatchMetrics: metrics.map(({ name, dimensions }) => ({
        Namespace: metricNamespace,
        Dimensions: dimensions,
        Metrics: [{ Name: name, Unit: "Count" }],
      })),
    },
  };
}
