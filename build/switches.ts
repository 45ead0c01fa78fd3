/** What decides which functions and resources a deployment has, by the variable of the deploying shell. */
const switches = {
  /** The page at `/`. */
  DEMO_PAGE: ["on", "off"],
  /** Whether mails are sent at all. */
  MAIL_FROM: ["set", "unset"],
  /** Who may make an account: anybody, whoever proves an address, nobody. */
  REGISTRATION: ["open", "verified", "closed"],
  /** Sign-in by a mailed code. */
  EMAIL_LOGIN: ["on", "off"],
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

/** Reads how the switches stand; an empty variable is unset. Throws an Error that lists what is wrong. */
export function readSwitches(
  environment: Record<string, string | undefined>,
  { demoPage }: { demoPage: string },
): Switches {
  const hasMail = Boolean(environment.MAIL_FROM);
  const given = {
    DEMO_PAGE: environment.DEMO_PAGE || demoPage,
    MAIL_FROM: hasMail ? "set" : "unset",
    REGISTRATION: environment.REGISTRATION || (hasMail ? "verified" : "open"),
    EMAIL_LOGIN: environment.EMAIL_LOGIN || "off",
  };
  const names = Object.keys(switches) as SwitchName[];
  const faults = names.flatMap((name) => {
    const values: readonly string[] = switches[name];
    return values.includes(given[name]) ? [] : [`${name} must be ${values.join(" or ")}`];
  });
  if (!hasMail && given.REGISTRATION === "verified") faults.push("REGISTRATION=verified needs MAIL_FROM");
  if (!hasMail && given.EMAIL_LOGIN === "on") faults.push("EMAIL_LOGIN=on needs MAIL_FROM");
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return given as Switches;
}

/** Answers whether something is there with the switches as they stand. */
function isThere(what: string, onlyWith: OnlyWith | undefined, standing: Switches): boolean {
  return Object.entries(onlyWith ?? {}).every(([name, value]) => {
    const values: readonly string[] | undefined = switches[name as SwitchName];
    // What is misspelt would be left out, and nobody would notice.
    if (!values?.includes(value)) throw new Error(`${what}: onlyWith knows no ${name}: ${value}`);
    return standing[name as SwitchName] === value;
  });
}

/**
 * Takes out of serverless.yml what is not there with the switches as they stand, and the word itself. Throws an Error for
 * a word that is not known.
 */
export function applySwitches(
  {
    functions,
    resources,
  }: {
    functions: Record<string, { onlyWith?: OnlyWith }>;
    resources: Record<string, { Metadata?: { onlyWith?: OnlyWith } }>;
  },
  standing: Switches,
): void {
  for (const [name, { onlyWith }] of Object.entries(functions))
    if (!isThere(name, onlyWith, standing)) delete functions[name];
  for (const [id, resource] of Object.entries(resources)) {
    const { onlyWith, ...metadata } = resource.Metadata ?? {};
    if (!isThere(id, onlyWith, standing)) delete resources[id];
    else if (Object.keys(metadata).length > 0) resource.Metadata = metadata;
    else delete resource.Metadata;
  }
}
