import { systemClockMs } from "./clock.ts";
import type { SecurityEvent } from "./events.ts";

/** Where CloudWatch keeps the metrics. */
export const metricNamespace = "ServerlessAuth";

/** The metrics: each has the dimension `stage`; that of refusals has `code`, too. */
export type MetricName = "Login" | "LoginRefused" | "Throttled" | "Replay" | "Refusal";

/** The metric that counts an event; a refusal is also counted by its code. */
const metricNames: Partial<Record<SecurityEvent, MetricName>> = {
  authn_login_success: "Login",
  authn_login_fail: "LoginRefused",
  authn_login_lock: "Throttled",
  excess_rate_limit_exceeded: "Throttled",
  authn_token_reuse: "Replay",
};

/** Metrics in CloudWatch's embedded metric format: it counts them from the log, and no request is sent for it. */
export function createMetrics({ event, code }: { event?: SecurityEvent; code?: string }): object {
  const name = event && metricNames[event];
  if (!name && !code) return {};
  const metrics = [
    ...(name ? [{ name, dimensions: ["stage"] }] : []),
    ...(code ? [{ name: "Refusal", dimensions: ["stage", "code"] }] : []),
  ];
  return {
    ...Object.fromEntries(metrics.map(({ name }) => [name, 1])),
    _aws: {
      Timestamp: systemClockMs(),
      CloudWatchMetrics: metrics.map(({ name, dimensions }) => ({
        Namespace: metricNamespace,
        Dimensions: [dimensions],
        Metrics: [{ Name: name, Unit: "Count" }],
      })),
    },
  };
}
