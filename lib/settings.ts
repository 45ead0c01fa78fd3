import { type Language, languages } from "./mail/language.ts";
import {
  type Mailbox,
  parseAddress,
  parseEpochSeconds,
  parseHeaderNames,
  parseIssuer,
  parseLink,
  parseMailbox,
  parseOrigins,
  parseProxyHeader,
  parseProxySecrets,
  parseRoutes,
  parseUrl,
} from "./parse-setting.ts";
import { listUrls, type Provider, parseProviders } from "./providers/provider.ts";
import { type ProviderKeys, parseProviderKeys } from "./providers/provider-keys.ts";
import { type HashJwk, parseHashKeySet } from "./tokens/hash-keys.ts";
import { findUnpublishedKids, type OurJwk, parsePrivateKeySet, parsePublicKeySet } from "./tokens/keys.ts";

// Every setting of the service (docs/settings.md), and the groups that functions read. Durations carry their unit.

/** No function runs longer (serverless.yml), nor does a refresh that was cut off: its requests are aborted. */
export const functionTimeoutSeconds = 10;

/** Stages on one's own machine: plain http is allowed, and so is any rotation interval. */
const isLocal = (stage: string) => stage === "dev" || stage === "test";

/** Which deployment this is; `dev` and `test` are for one's own machine. */
export const stage = setting(
  "STAGE",
  matching(/^[a-z][a-z0-9-]{0,30}$/, "must be a stage name such as dev or prod"),
);

/** `iss` of the tokens, letter by letter; its origin may make state-changing calls. */
export const issuer = setting("ISSUER", parseIssuer, { rules: [isHttps("ISSUER")] });
/**
 * Answers whether browsers come by plain http, on one's own machine: Safari then keeps no cookie that has `Secure`, so ours
 * has none.
 */
export const isPlainHttp = ({ stage, issuer }: { stage: string; issuer: string }): boolean =>
  stage === "dev" && issuer.startsWith("http:");

/** `aud` of the tokens. */
export const audience = setting(
  "AUDIENCE",
  matching(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible characters"),
);
/** `client_id` of the tokens. */
export const clientId = setting(
  "CLIENT_ID",
  matching(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible characters"),
);

/** The name of the users table. */
export const usersTable = table("USERS_TABLE");
/** The name of the table of identities. */
export const identitiesTable = table("IDENTITIES_TABLE");
/** The name of the sessions table. */
export const sessionsTable = table("SESSIONS_TABLE");
/** The name of the table of attempts. */
export const attemptsTable = table("ATTEMPTS_TABLE");
/** The name of the table of mails. */
export const mailsTable = table("MAILS_TABLE");
/** The name of the table of changes of accounts. */
export const auditTable = table("AUDIT_TABLE");
/** Another engine than AWS's. */
export const dynamodbEndpoint: Setting<string | undefined> = setting("DYNAMODB_ENDPOINT", parseUrl, {
  unset: undefined,
  rules: [isHttps("DYNAMODB_ENDPOINT")],
});
/** How long one attempt of a request may take; there are three. */
export const dynamodbTimeoutMs = setting("DYNAMODB_TIMEOUT_MS", integer(50, 10_000), { unset: 800 });

/** The life of an access token. */
export const accessTokenTtlSeconds = setting("ACCESS_TOKEN_TTL_SECONDS", integer(1, 86_400), { unset: 900 });
/** A session that is not refreshed for this long is over. */
export const refreshTokenTtlSeconds = setting("REFRESH_TOKEN_TTL_SECONDS", integer(1, 34_560_000), {
  unset: 86_400,
});
/** A session is over after this, refreshed or not. */
export const sessionMaxAgeSeconds = setting("SESSION_MAX_AGE_SECONDS", integer(1, 34_560_000), {
  unset: 2_592_000,
});
/** How long the repeat of a refresh is answered without an Idempotency-Key. */
export const refreshWindowSeconds = setting("REFRESH_WINDOW_SECONDS", integer(0, 60), { unset: 10 });
/** A pair from a refresh younger than this is not replaced. */
export const refreshMinIntervalSeconds = setting("REFRESH_MIN_INTERVAL_SECONDS", integer(0, 3_600), {
  unset: 30,
  rules: [
    rule(
      { refreshWindowSeconds },
      (own: number, { refreshWindowSeconds }) =>
        refreshWindowSeconds > own && "REFRESH_WINDOW_SECONDS must not be above REFRESH_MIN_INTERVAL_SECONDS",
    ),
    rule(
      { accessTokenTtlSeconds },
      (own: number, { accessTokenTtlSeconds }) =>
        accessTokenTtlSeconds < 2 * own &&
        "ACCESS_TOKEN_TTL_SECONDS must be at least twice REFRESH_MIN_INTERVAL_SECONDS",
    ),
    rule(
      { stage },
      (own: number, { stage }) =>
        !isLocal(stage) &&
        own < functionTimeoutSeconds + 3 &&
        `REFRESH_MIN_INTERVAL_SECONDS must be at least ${functionTimeoutSeconds + 3} in stage ${stage}: ` +
          "the function's timeout and 3 s",
    ),
  ],
});
/** Sessions that began before this time are over. Epoch seconds. */
export const sessionsNotBefore = setting("SESSIONS_NOT_BEFORE", parseEpochSeconds, { unset: 0 });

/** The name of the auth cookie. */
export const cookieName = setting(
  "COOKIE_NAME",
  matching(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -"),
  { unset: "auth-cookie" },
);
const noSecure = "in stage dev with an http ISSUER the cookie has no Secure attribute";
/** Its `SameSite` attribute. */
export const cookieSameSite = setting("COOKIE_SAME_SITE", oneOf("Strict", "Lax", "None"), {
  unset: "Strict",
  rules: [
    rule(
      { stage, issuer },
      (own: string, where) =>
        own === "None" && isPlainHttp(where) && `COOKIE_SAME_SITE must not be None: ${noSecure}`,
    ),
    // Here, since only who sets the cookie reads this setting.
    rule(
      { stage, issuer, cookieName },
      (_own, { cookieName, ...where }) =>
        /^__(host|secure)-/i.test(cookieName) &&
        isPlainHttp(where) &&
        `COOKIE_NAME must not begin with __Host- or __Secure-: ${noSecure}`,
    ),
  ],
});
/** Its `Domain` attribute; none by default. */
export const cookieDomain: Setting<string | undefined> = setting(
  "COOKIE_DOMAIN",
  matching(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be a domain such as example.com"),
  {
    unset: undefined,
    rules: [
      rule(
        { cookieName },
        (own: string | undefined, { cookieName }) =>
          own !== undefined &&
          cookieName.toLowerCase().startsWith("__host-") &&
          "COOKIE_DOMAIN must be unset with a __Host- cookie (draft-ietf-httpbis-rfc6265bis, 4.1.3.2)",
      ),
    ],
  },
);
/** Other origins that may call with the cookie. */
export const allowedOrigins: Setting<readonly string[]> = setting("ALLOWED_ORIGINS", parseOrigins, {
  unset: [],
  rules: [
    rule(
      { stage },
      (own: readonly string[], { stage }) =>
        !isLocal(stage) &&
        own.some((origin) => origin.startsWith("http:")) &&
        `ALLOWED_ORIGINS must be https origins in stage ${stage}`,
    ),
  ],
});

/** Request headers of one's own that those origins may send; the gateway reads it. */
export const allowedHeaders: Setting<readonly string[]> = setting("ALLOWED_HEADERS", parseHeaderNames, {
  unset: [],
});

/** Whether browsers reach the hosts below the API's by https only, too. */
export const hstsIncludeSubdomains = setting("HSTS_INCLUDE_SUBDOMAINS", oneOf("on", "off"), {
  unset: "off",
});

/** The shortest new password, in code points. */
export const passwordMinLength = setting("PASSWORD_MIN_LENGTH", integer(8, 64), { unset: 15 });
/** Logins a minute from one address; 0 is no limit. */
export const loginLimitPerSourcePerMinute = setting(
  "LOGIN_LIMIT_PER_SOURCE_PER_MINUTE",
  integer(0, 100_000),
  { unset: 20 },
);
/** Registrations an hour from one address; 0 is no limit. */
export const registerLimitPerSourcePerHour = setting(
  "REGISTER_LIMIT_PER_SOURCE_PER_HOUR",
  integer(0, 100_000),
  { unset: 5 },
);

/** Who may make an account; build/switches.ts has what holds when it is unset. */
export const registration: Setting<string | undefined> = setting(
  "REGISTRATION",
  oneOf("open", "verified", "closed"),
  { unset: undefined },
);
/** Who mails come from. Without it none is sent: no function and no table of mail is deployed. */
export const mailFrom: Setting<Mailbox> = setting("MAIL_FROM", parseMailbox);
/** Where answers to mails go. */
export const mailReplyTo: Setting<string | undefined> = setting("MAIL_REPLY_TO", parseAddress, {
  unset: undefined,
});
/** The page that links in mails open; what they say stands in the fragment. */
export const mailLink = setting("MAIL_LINK", parseLink, {
  rules: [
    isHttps("MAIL_LINK"),
    rule(
      { issuer, allowedOrigins },
      (own: string, { issuer, allowedOrigins }) =>
        ![new URL(issuer).origin, ...allowedOrigins].includes(new URL(own).origin) &&
        "MAIL_LINK must be a page of the API's own origin, or of one in ALLOWED_ORIGINS",
    ),
  ],
});
/** What mails call the application; without it the host of MAIL_LINK. */
export const appName: Setting<string | undefined> = setting(
  "APP_NAME",
  matching(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, "must be 1 to 64 visible characters"),
  { unset: undefined },
);
/** The languages of mails; the first is for whoever reads none of them. */
export const mailLanguages = setting<readonly Language[]>("MAIL_LANGUAGES", someOf(languages), {
  unset: languages,
});
/** The configuration set of SES that mails are sent with. */
export const sesConfigurationSet = setting(
  "SES_CONFIGURATION_SET",
  matching(/^[\w-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -"),
);
/** Another receiver of mails than AWS's SES. */
export const sesEndpoint: Setting<string | undefined> = setting("SES_ENDPOINT", parseUrl, {
  unset: undefined,
  rules: [isHttps("SES_ENDPOINT")],
});
/** Mails an hour that one address may ask for; 0 is no limit. */
export const mailLimitPerSourcePerHour = setting("MAIL_LIMIT_PER_SOURCE_PER_HOUR", integer(0, 100_000), {
  unset: 20,
});
/** For how many days the audit trail is kept. */
export const auditDays = setting("AUDIT_DAYS", integer(1, 3_650), { unset: 400 });
/** The event bus that a stage makes, and tells of changes of accounts. */
export const eventBusName: Setting<string | undefined> = setting(
  "EVENT_BUS_NAME",
  matching(/^(?!default$)[A-Za-z0-9._-]{1,256}$/, "must be a name for an event bus, and not default"),
  { unset: undefined },
);
/** Whether a login from a browser that the account does not know is told to its address. */
export const newDeviceNotice = setting("NEW_DEVICE_NOTICE", oneOf("on", "off"), { unset: "on" });

/** The domain that passkeys belong to: the API's own host or a parent of it. A new one loses every passkey. */
export const passkeyRpId = setting(
  "PASSKEY_RP_ID",
  matching(
    /^(?!.*\.\d+$)(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)$/,
    "must be a domain such as example.com, in lower case",
  ),
  {
    rules: [
      rule(
        { issuer },
        (own: string | undefined, { issuer }) =>
          own !== undefined &&
          !`.${new URL(issuer).hostname}`.endsWith(`.${own}`) &&
          "PASSKEY_RP_ID must be the host of ISSUER or a parent domain of it",
      ),
    ],
  },
);

/** The providers that users can sign in with. */
export const identityProviders: Setting<Provider[]> = setting("IDENTITY_PROVIDERS", parseProviders, {
  rules: [
    rule(
      { stage },
      (own: Provider[] | undefined, { stage }) =>
        !isLocal(stage) &&
        own?.flatMap(listUrls).some((url) => url.startsWith("http:")) === true &&
        `IDENTITY_PROVIDERS must have https URLs in stage ${stage}`,
    ),
  ],
});
/** Whether browsers that can bind a key of their own to a session (W3C Device Bound Session Credentials). */
export const deviceBoundSessions = setting("DEVICE_BOUND_SESSIONS", oneOf("on", "off"), {
  unset: "off",
  rules: [
    rule(
      { accessTokenTtlSeconds },
      (own: "on" | "off", { accessTokenTtlSeconds }) =>
        own === "on" &&
        accessTokenTtlSeconds < 300 &&
        "ACCESS_TOKEN_TTL_SECONDS must be at least 300 with DEVICE_BOUND_SESSIONS: browsers prove their key two minutes ahead",
    ),
    rule(
      { cookieDomain },
      (own: "on" | "off", { cookieDomain }) =>
        own === "on" &&
        cookieDomain !== undefined &&
        "COOKIE_DOMAIN must be unset with DEVICE_BOUND_SESSIONS: a session is bound for the host of ISSUER alone",
    ),
  ],
});

/** How long a provider may take for one answer: then it is away. */
export const providerTimeoutMs = setting("PROVIDER_TIMEOUT_MS", integer(50, 60_000), { unset: 3_000 });

/** What a proxy in front proves itself with, in the header x-proxy-secret: one secret, or two while they change. */
export const trustedProxySecret: Setting<readonly string[]> = setting(
  "TRUSTED_PROXY_SECRET",
  parseProxySecrets,
  { unset: [] },
);
/** The header in which that proxy names the client's address. */
export const trustedProxyHeader = setting("TRUSTED_PROXY_HEADER", parseProxyHeader, {
  unset: "cloudfront-viewer-address",
});

/** All routes of the gateway, for the function that answers every other path. */
export const routes = setting("ROUTES", parseRoutes);

/** The public keys that verify access tokens (JWK set). */
export const jwtPublicKeys = setting("JWT_PUBLIC_KEYS", parsePublicKeySet);
/** The private keys that sign (JWK set); only on one's own machine. */
export const jwtSigningKeys: Setting<OurJwk[] | undefined> = ownKeys("JWT_SIGNING_KEYS", parsePrivateKeySet, [
  rule({ jwtPublicKeys }, (own: OurJwk[] | undefined, { jwtPublicKeys }) => {
    const kids = findUnpublishedKids(own ?? [], jwtPublicKeys);
    return kids.length > 0 && `JWT_PUBLIC_KEYS lacks the public half of the signing key ${kids.join(", ")}`;
  }),
]);
/** The secret in Secrets Manager that holds them. */
export const jwtSigningKeysSecret = secretInsteadOf(jwtSigningKeys);
/** The keys that keyed hashes are made with (JWK set); only on one's own machine. */
export const hashKeys: Setting<HashJwk[] | undefined> = ownKeys("HASH_KEYS", parseHashKeySet);
/** The secret in Secrets Manager that holds them. */
export const hashKeysSecret = secretInsteadOf(hashKeys);
/** The keys that mailed codes and links are made of (JWK set); only on one's own machine. */
export const codeKeys: Setting<HashJwk[] | undefined> = ownKeys("CODE_KEYS", parseHashKeySet);
/** The secret in Secrets Manager that holds them. */
export const codeKeysSecret = secretInsteadOf(codeKeys);
/** The keys that second factors are derived from (JWK set); only on one's own machine. */
export const factorKeys: Setting<HashJwk[] | undefined> = ownKeys("FACTOR_KEYS", parseHashKeySet);
/** The secret in Secrets Manager that holds them. */
export const factorKeysSecret = secretInsteadOf(factorKeys);
/** What the service proves itself with to each provider; only on one's own machine. */
export const providerKeys: Setting<ProviderKeys | undefined> = ownKeys("PROVIDER_KEYS", parseProviderKeys);
/** The secret in Secrets Manager that holds it. */
export const providerKeysSecret = secretInsteadOf(providerKeys);

/** What the cross-site rule needs. */
export const originSettings = { issuer, allowedOrigins };
/** Who is believed what about the client's address. */
export const clientIpSettings = { trustedProxySecret, trustedProxyHeader };
/** What shapes the auth cookie. */
export const cookieSettings = { cookieName, cookieSameSite, cookieDomain, issuer };
/** The way to DynamoDB. */
export const dynamodbSettings = { dynamodbEndpoint, dynamodbTimeoutMs };
/** The keys that keyed hashes are made with. */
export const hashKeySettings = { hashKeys, hashKeysSecret };
/** The keys that mailed codes and links are made of. */
export const codeKeySettings = { codeKeys, codeKeysSecret };
/** The keys that second factors are derived from. */
export const factorKeySettings = { factorKeys, factorKeysSecret };
/** The way to the providers, and what the service proves itself with there. */
export const providerKeySettings = { providerKeys, providerKeysSecret, providerTimeoutMs };
/** What is needed where users can sign in with a provider, and nowhere else. */
export const settingsOfProviders = { identityProviders, providerKeys, providerKeysSecret };
/** Who sends mails, and where their links lead. */
export const senderSettings = { mailFrom, mailReplyTo, mailLink, appName, sesConfigurationSet, sesEndpoint };
/** What is needed where mail is on, and nowhere else. */
export const settingsOfMail = {
  mailFrom,
  mailLink,
  sesConfigurationSet,
  mailsTable,
  auditTable,
  codeKeys,
  codeKeysSecret,
};
/** What the issuing of token pairs needs. A signing key that nobody can verify is refused at start. */
export const issuerSettings = {
  issuer,
  audience,
  clientId,
  accessTokenTtlSeconds,
  jwtPublicKeys,
  jwtSigningKeys,
  jwtSigningKeysSecret,
};
/** How long sessions live. */
export const lifetimeSettings = { refreshTokenTtlSeconds, sessionMaxAgeSeconds };

/** One environment variable: how its text is read, and what holds when it is unset (nothing: it is required). */
export interface Setting<T> {
  variable: string;
  /** Throws TypeError that says what is allowed. */
  parse: (text: string) => T;
  unset?: T;
  /** What must hold between this setting and others; each rule is checked where all of its settings are read. */
  rules: Rule[];
}

/** A rule between settings. */
export interface Rule {
  needs: Record<string, Setting<unknown>>;
  /** Says in one line what is wrong, if anything. */
  fault: (own: never, others: never) => string | false;
}

type Values<Named extends Record<string, Setting<unknown>>> = {
  [Name in keyof Named]: ReturnType<Named[Name]["parse"]>;
};

// These calls have no effect, so the bundler leaves out the settings that a function does not read. It sees that only in
// the file of their functions.

/** Makes a setting; with `unset` the variable may be absent. */
/* @__NO_SIDE_EFFECTS__ */
export function setting<T>(
  variable: string,
  parse: (text: string) => T,
  { rules = [], ...options }: { unset?: T; rules?: Rule[] } = {},
): Setting<T> {
  return { variable, parse, rules, ...options };
}

/** Makes the setting of a table's name: `table("NOTES_TABLE")` is that of the resource NotesTable. */
/* @__NO_SIDE_EFFECTS__ */
export function table(variable: string): Setting<string> {
  return setting(variable, matching(/^[a-zA-Z0-9_.-]{3,255}$/, "must be the name of a DynamoDB table"));
}

/** The same setting in a function that is there without what it is for (mail, passkeys), too: undefined then. */
/* @__NO_SIDE_EFFECTS__ */
export function ifSet<T>(of: Setting<T>): Setting<T | undefined> {
  return { ...of, unset: undefined };
}

/** Makes the setting of keys that nobody else may have: in the environment they stand only on one's own machine. */
/* @__NO_SIDE_EFFECTS__ */
function ownKeys<T>(
  variable: string,
  parse: (text: string) => T,
  rules: Rule[] = [],
): Setting<T | undefined> {
  const onlyHere = rule(
    { stage },
    (own: T | undefined, { stage }) =>
      !isLocal(stage) &&
      own !== undefined &&
      `${variable} must not be used in stage ${stage}: name a secret in ${variable}_SECRET`,
  );
  return setting<T | undefined>(variable, parse, { unset: undefined, rules: [...rules, onlyHere] });
}

/** Makes the setting of the secret that holds such keys in every other stage. */
/* @__NO_SIDE_EFFECTS__ */
function secretInsteadOf(keys: Setting<unknown>): Setting<string | undefined> {
  const { variable } = keys;
  const isOne = rule(
    { keys },
    (own: string | undefined, { keys }) =>
      (own === undefined) === (keys === undefined) &&
      `${variable}_SECRET (or on one's own machine ${variable}) must be set, and not both`,
  );
  return setting<string | undefined>(
    `${variable}_SECRET`,
    matching(/^[A-Za-z0-9/_+=.@:-]{1,2048}$/, "must be the name or ARN of a secret"),
    { unset: undefined, rules: [isOne] },
  );
}

/** Makes a rule between the setting that it belongs to and others. */
/* @__NO_SIDE_EFFECTS__ */
function rule<T, Named extends Record<string, Setting<unknown>>>(
  needs: Named,
  fault: (own: T, others: Values<Named>) => string | false,
): Rule {
  return { needs, fault } as unknown as Rule;
}

/** Makes the rule that a URL is https, but on one's own machine. */
/* @__NO_SIDE_EFFECTS__ */
function isHttps(variable: string): Rule {
  return rule(
    { stage },
    (own: string | undefined, { stage }) =>
      !isLocal(stage) &&
      own?.startsWith("http:") === true &&
      `${variable} must be an https URL in stage ${stage}`,
  );
}

/** Takes a text of this pattern; the rule says what is allowed. Throws TypeError. */
/* @__NO_SIDE_EFFECTS__ */
export function matching(pattern: RegExp, rule: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new TypeError(rule);
    return text;
  };
}

/** Takes one of these words. Throws TypeError. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<const T extends string>(...values: T[]) {
  return (text: string): T => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new TypeError(`must be one of ${values.join(", ")}`);
    return value;
  };
}

/** Takes some of these words, separated by commas, in any order. Throws TypeError. */
/* @__NO_SIDE_EFFECTS__ */
function someOf<const T extends string>(values: readonly T[]) {
  return (text: string): T[] => {
    const words = text.split(",").map((word) => word.trim());
    const found = words.flatMap((word) => values.find((value) => value === word) ?? []);
    if (found.length < words.length || new Set(found).size < found.length)
      throw new TypeError(`must be some of ${values.join(", ")}, separated by commas`);
    return found;
  };
}

/** Takes a whole number from min to max. Throws TypeError. */
/* @__NO_SIDE_EFFECTS__ */
export function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new TypeError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}
