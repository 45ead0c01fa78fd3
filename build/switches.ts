import { getPublicSuffix } from "tldts";

/** What decides which functions and resources a deployment has, by the variable of the deploying shell. */
const switches = {
  /** The page at `/`. */
  DEMO_PAGE: ["on", "off"],
  /** `GET /movies`. */
  SAMPLE: ["on", "off"],
  /** `/openapi.json` and `/docs`. */
  DOCS: ["on", "off"],
  /** Whether mails are sent at all. */
  MAIL_FROM: ["set", "unset"],
  /** Who may make an account: anybody, whoever proves an address, nobody. */
  REGISTRATION: ["open", "verified", "closed"],
  /** Sign-in by a mailed code. */
  EMAIL_LOGIN: ["on", "off"],
  /** Passkeys. */
  PASSKEY_RP_ID: ["set", "unset"],
  /** Sign-in with other providers. */
  IDENTITY_PROVIDERS: ["set", "unset"],
  /** An event bus. */
  EVENT_BUS_NAME: ["set", "unset"],
  /** Policies for the people who run `npm run users`. */
  OPERATOR_POLICIES: ["on", "off"],
  /** The admin API. */
  ADMIN_API: ["on", "off"],
  /** Sessions that are bound to a key of the browser. */
  DEVICE_BOUND_SESSIONS: ["on", "off"],
} as const;

type SwitchName = keyof typeof switches;

/** How each switch stands. */
export type Switches = { [Name in SwitchName]: (typeof switches)[Name][number] };

/** What a function or a resource is there only with: `{ MAIL_FROM: set }`. */
export type OnlyWith = Partial<Switches>;

/** The JSON Schema of `onlyWith` in functions.yml. */
export const onlyWithSchema = {
  type: "object",
  properties: Object.fromEntries(Object.entries(switches).map(([name, values]) => [name, { enum: values }])),
  minProperties: 1,
  additionalProperties: false,
};

/** Reads how the switches stand; an empty variable is unset, and `extras` says what that is for those that help to try. Throws an Error that lists what is wrong. */
export function readSwitches(
  environment: Record<string, string | undefined>,
  { extras }: { extras: string },
): Switches {
  const hasMail = Boolean(environment.MAIL_FROM);
  const given = {
    DEMO_PAGE: environment.DEMO_PAGE || extras,
    SAMPLE: environment.SAMPLE || extras,
    DOCS: environment.DOCS || extras,
    MAIL_FROM: hasMail ? "set" : "unset",
    REGISTRATION: environment.REGISTRATION || (hasMail ? "verified" : "open"),
    EMAIL_LOGIN: environment.EMAIL_LOGIN || "off",
    PASSKEY_RP_ID: environment.PASSKEY_RP_ID ? "set" : "unset",
    IDENTITY_PROVIDERS: environment.IDENTITY_PROVIDERS ? "set" : "unset",
    EVENT_BUS_NAME: environment.EVENT_BUS_NAME ? "set" : "unset",
    OPERATOR_POLICIES: environment.OPERATOR_POLICIES || "off",
    ADMIN_API: environment.ADMIN_API || "off",
    DEVICE_BOUND_SESSIONS: environment.DEVICE_BOUND_SESSIONS || "off",
  };
  const names = Object.keys(switches) as SwitchName[];
  const faults = names.flatMap((name) => {
    const values: readonly string[] = switches[name];
    return values.includes(given[name]) ? [] : [`${name} must be ${values.join(" or ")}`];
  });
  if (!hasMail && given.REGISTRATION === "verified") faults.push("REGISTRATION=verified needs MAIL_FROM");
  if (!hasMail && given.EMAIL_LOGIN === "on") faults.push("EMAIL_LOGIN=on needs MAIL_FROM");
  if (!hasMail && environment.EVENT_BUS_NAME) faults.push("EVENT_BUS_NAME needs MAIL_FROM");
  if (isPublicSuffix(environment.PASSKEY_RP_ID || "localhost"))
    faults.push("PASSKEY_RP_ID must not be a domain under which anybody registers one: no browser takes it");
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return given as Switches;
}

/** Answers whether strangers share a domain, such as `co.uk` or `github.io` (publicsuffix.org). */
const isPublicSuffix = (domain: string): boolean =>
  domain !== "localhost" && getPublicSuffix(domain, { allowPrivateDomains: true }) === domain;

/** Answers whether something is there with the switches as they stand. */
function isThere(what: string, onlyWith: OnlyWith | undefined, standing: Switches): boolean {
  return Object.entries(onlyWith ?? {}).every(([name, value]) => {
    const values: readonly string[] | undefined = switches[name as SwitchName];
    // What is misspelt would be left out, and nobody would notice.
    if (!values?.includes(value)) throw new Error(`${what}: onlyWith knows no ${name}: ${value}`);
    return standing[name as SwitchName] === value;
  });
}

/** The parts of serverless.yml that switches decide about. */
interface Parts {
  functions: Record<
    string,
    { onlyWith?: OnlyWith; iamRoleStatements?: { Resource: unknown }[]; events?: object[] }
  >;
  resources: Record<string, { Metadata?: { onlyWith?: OnlyWith }; Properties?: Record<string, unknown> }>;
}

/**
 * Takes out of serverless.yml what is not there with the switches as they stand, and the word itself; with a resource every
 * permission on it, and with the last function that a stream feeds the stream. Throws an Error for a word that is not
 * known.
 */
export function applySwitches({ functions, resources }: Parts, standing: Switches): void {
  for (const [name, { onlyWith }] of Object.entries(functions))
    if (!isThere(name, onlyWith, standing)) delete functions[name];
  const absent = new Set<string>();
  for (const [id, resource] of Object.entries(resources)) {
    const { onlyWith, ...metadata } = resource.Metadata ?? {};
    if (!isThere(id, onlyWith, standing)) {
      delete resources[id];
      absent.add(id);
    } else if (Object.keys(metadata).length > 0) resource.Metadata = metadata;
    else delete resource.Metadata;
  }
  const isOfSome = ({ Resource }: { Resource: unknown }) => !absent.has(findResource(Resource) ?? "");
  for (const each of Object.values(functions))
    if (each.iamRoleStatements) each.iamRoleStatements = each.iamRoleStatements.filter(isOfSome);
  for (const { Properties } of Object.values(resources)) {
    const policy = Properties?.PolicyDocument as { Statement: { Resource: unknown }[] } | undefined;
    if (policy) policy.Statement = policy.Statement.filter(isOfSome);
  }
  const events = Object.values(functions).flatMap(({ events = [] }) => events);
  const read = events.map((event) => findResource((event as { stream?: { arn?: unknown } }).stream?.arn));
  for (const [id, { Properties }] of Object.entries(resources))
    if (!read.includes(id)) delete Properties?.StreamSpecification;
}

/** The logical id in `!GetAtt NotesTable.Arn`. */
function findResource(reference: unknown): string | undefined {
  return (reference as { "Fn::GetAtt"?: string[] } | undefined)?.["Fn::GetAtt"]?.[0];
}
