/**
 * AWS's list prices in us-east-1, US dollars, before discounts, free tiers and taxes. Written down from memory of the
 * public price pages, without a look at them: check them before you rely on a sum.
 */
export const prices = {
  asOf: "November 2025",
  region: "us-east-1",
  /** Lambda on arm64, first tier; the time of a sandbox's start is paid, too. */
  lambdaGbSecond: 0.0000133334,
  lambdaMillionRequests: 0.2,
  /** HTTP API, first tier, up to 512 KB each. */
  gatewayMillionRequests: 1.0,
  /** DynamoDB on demand. */
  millionWriteUnits: 0.625,
  millionReadUnits: 0.125,
  storageGbMonth: 0.25,
  backupGbMonth: 0.2,
  /** CloudWatch Logs: taking them in; keeping them for a month. */
  logGb: 0.5,
  logGbMonth: 0.03,
  alarmMonth: 0.1,
  dashboardMonth: 3.0,
  /** SES, without attachments. Lambda reads the streams of tables for nothing. */
  millionMails: 100,
  secretMonth: 0.4,
  secretMillionCalls: 5.0,
};
