import {
  integer,
  matching,
  oneOf,
  parseCookieName,
  parseEpochSeconds,
  parseIssuer,
  parseOrigins,
  parsePrivateKeys,
  parseRoutes,
  parseSecretId,
  parseTableName,
  parseUrl,
  type Setting,
  setting,
} from "./setting.ts";
import { findUnpublishedKids, type OurJwk, parseJwkSet } from "./tokens/keys.ts";

/** No function runs longer (serverless.yml), nor does a refresh that was cut off: its requests are aborted. */
export const functionTimeoutSeconds = 10;

/** Stages on one's own machine: plain http is allowed, and so is any rotation interval. */
const localStages = ["dev", "test"];

/** Every setting of the service (README, Configuration). Durations are seconds. */
const settings = {
  stage: setting("STAGE", matching(/^[a-z][a-z0-9-]{0,30}$/, "must be a stage name such as dev or prod")),
  issuer: setting("ISSUER", parseIssuer),
  audience: setting("AUDIENCE", matching(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible characters")),
  clientId: setting("CLIENT_ID", matching(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible characters")),
  usersTable: setting("USERS_TABLE", parseTableName),
  sessionsTable: setting("SESSIONS_TABLE", parseTableName),
  attemptsTable: setting("ATTEMPTS_TABLE", parseTableName),
  dynamodbEndpoint: setting<string | undefined>("DYNAMODB_ENDPOINT", parseUrl, { unset: undefined }),
  accessTokenTtlSeconds: setting("ACCESS_TOKEN_TTL_SECONDS", integer(1, 86_400), { unset: 900 }),
  refreshTokenTtlSeconds: setting("REFRESH_TOKEN_TTL_SECONDS", integer(1, 34_560_000), { unset: 86_400 }),
  sessionMaxAgeSeconds: setting("SESSION_MAX_AGE_SECONDS", integer(1, 34_560_000), { unset: 2_592_000 }),
  refreshWindowSeconds: setting("REFRESH_WINDOW_SECONDS", integer(0, 60), { unset: 10 }),
  refreshMinIntervalSeconds: setting("REFRESH_MIN_INTERVAL_SECONDS", integer(0, 3_600), { unset: 30 }),
  cookieName: setting("COOKIE_NAME", parseCookieName, { unset: "auth-cookie" }),
  cookieSameSite: setting("COOKIE_SAME_SITE", oneOf("Strict", "Lax", "None"), { unset: "Strict" as const }),
  cookieDomain: setting<string | undefined>(
    "COOKIE_DOMAIN",
    matching(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be a domain such as example.com"),
    { unset: undefined },
  ),
  allowedOrigins: setting<readonly string[]>("ALLOWED_ORIGINS", parseOrigins, { unset: [] }),
  passwordMinLength: setting("PASSWORD_MIN_LENGTH", integer(8, 64), { unset: 15 }),
  loginLimitPerSourcePerMinute: setting("LOGIN_LIMIT_PER_SOURCE_PER_MINUTE", integer(0, 100_000), {
    unset: 20,
  }),
  registerLimitPerSourcePerHour: setting("REGISTER_LIMIT_PER_SOURCE_PER_HOUR", integer(0, 100_000), {
    unset: 5,
  }),
  sessionsNotBefore: setting("SESSIONS_NOT_BEFORE", parseEpochSeconds, { unset: 0 }),
  routes: setting("ROUTES", parseRoutes),
  jwtPublicKeys: setting("JWT_PUBLIC_KEYS", (text) => parseJwkSet(text, "public")),
  jwtSigningKeys: setting<OurJwk[] | undefined>("JWT_SIGNING_KEYS", parsePrivateKeys, { unset: undefined }),
  jwtSigningKeysSecret: setting<string | undefined>("JWT_SIGNING_KEYS_SECRET", parseSecretId, {
    unset: undefined,
  }),
};

type Settings = { [Name in keyof typeof settings]: ReturnType<(typeof settings)[Name]["parse"]> };

/** The names of all settings. */
export type SettingName = keyof Settings;

/** The settings that a function asked for. */
export type Config<Name extends SettingName> = Pick<Settings, Name>;

/** What every state-changing route reads for its cross-site check. */
export const requestSettings = ["stage", "issuer", "allowedOrigins"] as const;
/** What shapes the auth cookie. */
export const cookieSettings = ["cookieName", "cookieSameSite", "cookieDomain"] as const;
/** What the issuing of pairs needs. The public keys too: a signing key that nobody can verify is refused at start. */
export const issuerSettings = [
  "issuer",
  "audience",
  "clientId",
  "accessTokenTtlSeconds",
  "jwtPublicKeys",
  "jwtSigningKeys",
  "jwtSigningKeysSecret",
] as const;
/** What the attempt limit needs: its table, and the signing keys for its keyed hashes. */
export const attemptSettings = [
  "attemptsTable",
  "jwtPublicKeys",
  "jwtSigningKeys",
  "jwtSigningKeysSecret",
] as const;
/** How long sessions live. */
export const lifetimeSettings = ["refreshTokenTtlSeconds", "sessionMaxAgeSeconds"] as const;

/** All settings. */
export const settingNames = Object.keys(settings) as SettingName[];
/** The environment variable that a setting is read from. */
export const variableOf = (name: SettingName): string => settings[name].variable;
/** All environment variables that settings are read from. */
export const settingVariables: string[] = settingNames.map(variableOf);
/** Those of them that a deployment takes from its shell as they are: whoever signs gets keys in a way of its own. */
export const shellVariables: string[] = settingNames
  .filter((name) => "unset" in settings[name] && !["jwtSigningKeys", "jwtSigningKeysSecret"].includes(name))
  .map(variableOf);

/** Rules between settings; each is checked where all of its settings are read. */
const rules: { needs: SettingName[]; fault: (config: Settings) => string | false }[] = [
  {
    needs: ["refreshWindowSeconds", "refreshMinIntervalSeconds"],
    fault: (c) =>
      c.refreshWindowSeconds > c.refreshMinIntervalSeconds &&
      "REFRESH_WINDOW_SECONDS must not be above REFRESH_MIN_INTERVAL_SECONDS",
  },
  {
    needs: ["accessTokenTtlSeconds", "refreshMinIntervalSeconds"],
    fault: (c) =>
      c.accessTokenTtlSeconds < 2 * c.refreshMinIntervalSeconds &&
      "ACCESS_TOKEN_TTL_SECONDS must be at least twice REFRESH_MIN_INTERVAL_SECONDS",
  },
  {
    needs: ["stage", "refreshMinIntervalSeconds"],
    fault: (c) =>
      !localStages.includes(c.stage) &&
      c.refreshMinIntervalSeconds < functionTimeoutSeconds + 3 &&
      `REFRESH_MIN_INTERVAL_SECONDS must be at least ${functionTimeoutSeconds + 3} in stage ${c.stage}: ` +
        "the function's timeout and 3 s",
  },
  {
    needs: ["stage", "issuer"],
    fault: (c) =>
      !localStages.includes(c.stage) &&
      !c.issuer.startsWith("https:") &&
      `ISSUER must be an https URL in stage ${c.stage}`,
  },
  {
    needs: ["stage", "dynamodbEndpoint"],
    fault: (c) =>
      !localStages.includes(c.stage) &&
      c.dynamodbEndpoint?.startsWith("http:") === true &&
      `DYNAMODB_ENDPOINT must be an https URL in stage ${c.stage}`,
  },
  {
    needs: ["stage", "allowedOrigins"],
    fault: (c) =>
      !localStages.includes(c.stage) &&
      c.allowedOrigins.some((origin) => origin.startsWith("http:")) &&
      `ALLOWED_ORIGINS must be https origins in stage ${c.stage}`,
  },
  {
    needs: ["cookieName", "cookieDomain"],
    fault: (c) =>
      c.cookieName.toLowerCase().startsWith("__host-") &&
      c.cookieDomain !== undefined &&
      "COOKIE_DOMAIN must be unset with a __Host- cookie (draft-ietf-httpbis-rfc6265bis, 4.1.3.2)",
  },
  {
    needs: ["jwtSigningKeys", "jwtPublicKeys"],
    fault: (c) => {
      const kids = findUnpublishedKids(c.jwtSigningKeys ?? [], c.jwtPublicKeys);
      return kids.length > 0 && `JWT_PUBLIC_KEYS lacks the public half of the signing key ${kids.join(", ")}`;
    },
  },
  {
    needs: ["jwtSigningKeys", "jwtSigningKeysSecret"],
    fault: (c) =>
      (c.jwtSigningKeys === undefined) === (c.jwtSigningKeysSecret === undefined) &&
      "JWT_SIGNING_KEYS_SECRET (or on one's own machine JWT_SIGNING_KEYS) must be set, and not both",
  },
  {
    needs: ["stage", "jwtSigningKeys"],
    fault: (c) =>
      !localStages.includes(c.stage) &&
      c.jwtSigningKeys !== undefined &&
      `JWT_SIGNING_KEYS must not be used in stage ${c.stage}: name a secret in JWT_SIGNING_KEYS_SECRET`,
  },
];

/**
 * Reads the named settings and refuses to start on the first look: throws an Error whose message lists every
 * problem, one a line. An empty variable counts as unset. No message quotes a secret.
 */
export function readConfig<const Name extends SettingName>(
  names: readonly Name[],
  environment: Record<string, string | undefined> = process.env,
): Config<Name> {
  const config: Partial<Settings> = {};
  const faults: string[] = [];
  const sound = new Set<SettingName>();
  for (const name of new Set<SettingName>(names)) {
    const { variable, parse, ...rest } = settings[name] as Setting<unknown>;
    const text = environment[variable] || undefined;
    try {
      if (text === undefined && !("unset" in rest)) throw new TypeError("is missing");
      Object.assign(config, { [name]: text === undefined ? rest.unset : parse(text) });
      sound.add(name);
    } catch (error) {
      faults.push(`${variable} ${(error as TypeError).message}`);
    }
  }
  for (const { needs, fault } of rules) {
    const found = needs.every((name) => sound.has(name)) && fault(config as Settings);
    if (found) faults.push(found);
  }
  if (faults.length > 0)
    throw new Error(`The configuration is not valid:\n${faults.map((f) => `- ${f}`).join("\n")}`);
  return config as Config<Name>;
}
