/** What can be switched on for a deployment. Nothing of it is known to the functions. */
export interface Options {
  /** An SNS topic that alarms are sent to. */
  alarmTopicArn?: string;
  /** The API's own host name, with its certificate in AWS Certificate Manager of the same region. */
  domain?: { name: string; certificateArn: string };
  /** A key of one's own for tables and logs. */
  kmsKeyArn?: string;
  /** How many logins may run at once. */
  loginReservedConcurrency?: number;
  /** More mails an hour than this ring an alarm. */
  mailAlarmPerHour?: number;
  /** AWS X-Ray traces of the functions. */
  isTraced: boolean;
}

/** The options by their environment variable: what each must look like. */
const shapes = {
  ALARM_TOPIC_ARN: {
    shape: /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:\S+$/,
    says: "must be the ARN of an SNS topic",
  },
  CERTIFICATE_ARN: {
    shape: /^arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate\/\S+$/,
    says: "must be the ARN of a certificate",
  },
  DOMAIN_NAME: {
    // RFC 1123, 2.1; the last label is no number, or it would be an IP address.
    shape: /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    says: "must be a host name such as auth.example.com",
  },
  KMS_KEY_ARN: { shape: /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/\S+$/, says: "must be the ARN of a KMS key" },
  LOGIN_RESERVED_CONCURRENCY: { shape: /^[1-9]\d{0,4}$/, says: "must be a whole number from 1" },
  MAIL_ALARM_PER_HOUR: { shape: /^[1-9]\d{0,6}$/, says: "must be a whole number from 1" },
  TRACING: { shape: /^(on|off)$/, says: "must be on or off" },
} as const;

/** The environment variables that options are read from. */
export const optionVariables = Object.keys(shapes) as (keyof typeof shapes)[];

/** Reads the options of a deployment. Throws an Error that lists every problem. An empty variable counts as unset. */
export function readOptions(environment: Record<string, string | undefined>): Options {
  const values = Object.fromEntries(optionVariables.map((name) => [name, environment[name] || undefined]));
  const faults = optionVariables.flatMap((name) => {
    const { shape, says } = shapes[name];
    const value = values[name];
    return value === undefined || shape.test(value) ? [] : [`${name} ${says}`];
  });
  const { ALARM_TOPIC_ARN, CERTIFICATE_ARN, DOMAIN_NAME, KMS_KEY_ARN, LOGIN_RESERVED_CONCURRENCY } = values;
  const { MAIL_ALARM_PER_HOUR, TRACING } = values;
  if ((DOMAIN_NAME === undefined) !== (CERTIFICATE_ARN === undefined)) {
    faults.push("DOMAIN_NAME and CERTIFICATE_ARN must be set together");
  }
  if (faults.length > 0)
    throw new Error(
      `The options of the deployment are not valid:\n${faults.map((f) => `- ${f}`).join("\n")}`,
    );
  return {
    ...(ALARM_TOPIC_ARN && { alarmTopicArn: ALARM_TOPIC_ARN }),
    ...(DOMAIN_NAME && CERTIFICATE_ARN && { domain: { name: DOMAIN_NAME, certificateArn: CERTIFICATE_ARN } }),
    ...(KMS_KEY_ARN && { kmsKeyArn: KMS_KEY_ARN }),
    ...(LOGIN_RESERVED_CONCURRENCY && { loginReservedConcurrency: Number(LOGIN_RESERVED_CONCURRENCY) }),
    ...(MAIL_ALARM_PER_HOUR && { mailAlarmPerHour: Number(MAIL_ALARM_PER_HOUR) }),
    isTraced: TRACING === "on",
  };
}
