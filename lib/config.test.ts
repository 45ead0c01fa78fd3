import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { listNeededSettings, listSettings, readConfig, type SettingName } from "./config.ts";
import {
  clientIpSettings,
  cookieSettings,
  dynamodbSettings,
  issuerSettings,
  lifetimeSettings,
  originSettings,
  type Setting,
} from "./settings.ts";

const all: Record<string, Setting<unknown>> = listSettings();
const settingVariables = Object.values(all).map(({ variable }) => variable);

/** Reads settings by their names, on one's own machine if nothing else is said. */
function read(names: readonly SettingName[], environment: Record<string, string | undefined>) {
  const named = Object.fromEntries(names.map((name) => [name, all[name] as Setting<unknown>]));
  return readConfig(named, environment);
}

const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
const { d, ...publicHalf } = jwk;
const signingKey = { ...jwk, kid: "k1", alg: "EdDSA", activeFrom: 0 };
const hashKey = { kty: "oct", k: "A".repeat(43), kid: "h1", alg: "HS256", activeFrom: 0 };
const publicKey = { ...publicHalf, kid: "k1", alg: "EdDSA", use: "sig" };

const jwks = (...keys: object[]) => JSON.stringify({ keys });
const required = {
  ...{ STAGE: "dev", ISSUER: "http://localhost:3000", AUDIENCE: "api", CLIENT_ID: "web" },
  ...{ USERS_TABLE: "users", SESSIONS_TABLE: "sessions", ROUTES: "GET /movies" },
  ...{ JWT_PUBLIC_KEYS: jwks(publicKey), JWT_SIGNING_KEYS: jwks(signingKey), HASH_KEYS: jwks(hashKey) },
};

const grouped = { ...originSettings, ...clientIpSettings, ...cookieSettings, ...issuerSettings };
const refreshSettings = [
  ...Object.keys({ ...grouped, ...lifetimeSettings, ...dynamodbSettings }),
  ...["refreshWindowSeconds", "refreshMinIntervalSeconds", "sessionsNotBefore"],
  ...["sessionsTable", "usersTable", "passwordMinLength", "routes", "hstsIncludeSubdomains"],
  ...["allowedHeaders", "hashKeys", "hashKeysSecret"],
] as SettingName[];

/** The lines of the refusal, without its heading; none if there is no refusal. */
function faultsOf(names: readonly SettingName[], environment: Record<string, string | undefined>): string[] {
  try {
    read(names, environment);
    return [];
  } catch (error) {
    const [heading, ...faults] = (error as Error).message.split("\n");
    expect(heading).toBe("The configuration is not valid:");
    return faults.map((fault) => fault.replace(/^- /, ""));
  }
}

test("what is not set has the value of docs/settings.md; an empty variable is not set", () => {
  const expected = {
    ...{ stage: "dev", issuer: "http://localhost:3000", audience: "api", clientId: "web" },
    ...{ usersTable: "users", sessionsTable: "sessions" },
    ...{ dynamodbEndpoint: undefined, dynamodbTimeoutMs: 800 },
    ...{ accessTokenTtlSeconds: 900, refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 },
    ...{ refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30, sessionsNotBefore: 0 },
    ...{ cookieName: "auth-cookie", cookieSameSite: "Strict", cookieDomain: undefined },
    ...{ allowedOrigins: [], passwordMinLength: 15, routes: [{ method: "GET", path: "/movies" }] },
    ...{ trustedProxySecret: [], trustedProxyHeader: "cloudfront-viewer-address" },
    ...{ hstsIncludeSubdomains: "off", allowedHeaders: [] },
    ...{ jwtPublicKeys: [publicKey], jwtSigningKeys: [signingKey], jwtSigningKeysSecret: undefined },
    ...{ hashKeys: [hashKey], hashKeysSecret: undefined },
  };
  expect(read(refreshSettings, required)).toEqual(expected);
  const empty = Object.fromEntries(settingVariables.map((variable) => [variable, ""]));
  expect(read(refreshSettings, { ...empty, ...required })).toEqual(expected);
});

test("all problems are listed at once, each once, in the words of the environment", () => {
  const names = [...refreshSettings, ...refreshSettings];
  expect(faultsOf(names, { REFRESH_WINDOW_SECONDS: "ten", COOKIE_SAME_SITE: "strict" }).toSorted()).toEqual([
    ...["AUDIENCE is missing", "CLIENT_ID is missing", "COOKIE_SAME_SITE must be one of Strict, Lax, None"],
    `HASH_KEYS_SECRET ${oneSource("HASH_KEYS")}`,
    ...[
      "ISSUER is missing",
      "JWT_PUBLIC_KEYS is missing",
      `JWT_SIGNING_KEYS_SECRET ${oneSource("JWT_SIGNING_KEYS")}`,
    ],
    ...["REFRESH_WINDOW_SECONDS must be a whole number from 0 to 60", "ROUTES is missing"],
    ...["SESSIONS_TABLE is missing", "STAGE is missing", "USERS_TABLE is missing"],
  ]);
});

test("a function is asked only for what it reads: a protected route needs no table and no signing key", () => {
  const movies = ["issuer", "audience", "accessTokenTtlSeconds", "cookieName", "jwtPublicKeys"] as const;
  const { ISSUER, AUDIENCE, JWT_PUBLIC_KEYS } = required;
  const config = read(movies, { ISSUER, AUDIENCE, JWT_PUBLIC_KEYS, USERS_TABLE: "?", STAGE: "dev" });
  expect(Object.keys(config).toSorted()).toEqual([...movies, "stage"].toSorted());
});

test("no message quotes what a variable holds", () => {
  const environment = Object.fromEntries(settingVariables.map((variable) => [variable, '"hunter2 <\n>']));
  const faults = faultsOf(Object.keys(all) as SettingName[], environment);
  expect(faults).toHaveLength(settingVariables.length);
  expect(faults.join()).not.toContain("hunter2");
  const broken = { ...required, JWT_SIGNING_KEYS: `{"keys":[{"d":"hunter2"` };
  expect(faultsOf(refreshSettings, broken).join()).not.toContain("hunter2");
});

const whole = ["", " ", "-1", "1.5", "1e3", "0x10", " 5", "5 ", "ten", "NaN", "Infinity", "１"];
const names = (text: string) => text.split(" ");
const a = (count: number) => "a".repeat(count);

/** Each alone, without the rules between settings. */
const rules: [variable: string, accepted: string[], refused: string[]][] = [
  ["STAGE", ["dev", "prod", "pr-17", "a", a(31)], ["Dev", "1st", "-dev", "dev_1", "dev\n", a(32)]],
  [
    "ISSUER",
    names("https://auth.example.com https://example.com/auth/v1 http://localhost:3000"),
    [
      ...names("auth.example.com ftp://example.com https:// https://example.com/ https:example.com"),
      ...names("https://example.com?a=b https://example.com#a javascript:alert(1) https://user@example.com"),
      ...names("https://:password@example.com https://example.com? https://example.com/auth#"),
      ...["https://exa mple.com", "https://example.com/a b", "https://example.com ", " https://example.com"],
      ...["https://exam\tple.com", "https://example.com\n", "https://example.com/\u00a0"],
      ...["https://exämple.com", `https://example.com/${a(181)}`],
    ],
  ],
  ["AUDIENCE", ["api", "https://api.example.com/", a(128)], ["a b", "é", "a\n", a(129)]],
  ["CLIENT_ID", ["web", a(128)], ["a b", a(129)]],
  ["SESSIONS_TABLE", ["abc", "auth-dev_sessions.1", a(255)], ["ab", "a b c", "arn:aws:x", a(256)]],
  [
    "DYNAMODB_ENDPOINT",
    names("http://localhost:8000 https://dynamodb.eu-central-1.amazonaws.com"),
    names("localhost:8000 file:///tmp http://"),
  ],
  ["ACCESS_TOKEN_TTL_SECONDS", names("1 900 86400"), [...whole.slice(1), "0", "86401"]],
  ["REFRESH_TOKEN_TTL_SECONDS", names("1 34560000"), names("0 34560001")],
  ["SESSION_MAX_AGE_SECONDS", names("1 34560000"), ["0", "34560001", "9".repeat(400)]],
  ["REFRESH_WINDOW_SECONDS", names("0 60"), ["61"]],
  ["REFRESH_MIN_INTERVAL_SECONDS", names("0 3600"), ["3601"]],
  ["COOKIE_NAME", ["auth-cookie", "__Host-a", a(64)], ["a b", "a;b", "a=b", "a\r\nb", '"a"', a(65)]],
  ["COOKIE_SAME_SITE", names("Strict Lax None"), ["strict", "Strict; Domain=evil.example", "constructor"]],
  [
    "COOKIE_DOMAIN",
    names("example.com a-b.example.co.uk"),
    [...names("localhost .example.com example.com. Example.com a..b"), "example.com; Path=/a"],
  ],
  [
    "ALLOWED_ORIGINS",
    ["https://app.example.com", "https://a.example, http://localhost:5173", "capacitor://localhost"],
    [
      ...names("* null https://*.example.com/ https://app.example.com/ https://app.example.com/path"),
      ...names("https://APP.example.com https://app.example.com:443 app.example.com https://a.example,"),
      ...["https://a.example https://b.example", "https://user@a.example", "ftp://a.example"],
      ...names("capacitor://localhost/ capacitor:localhost Capacitor://localhost capacitor://* file://"),
      ...names("https://app.example.com,* https://* http://* https://*.example.com"),
    ],
  ],
  ["PASSWORD_MIN_LENGTH", names("8 64"), names("7 65")],
  [
    "SESSIONS_NOT_BEFORE",
    names("0 1800000000 99999999999"),
    [...names("100000000000 1800000000000 2026-01-01 -1 1.5 1e9"), " 5"],
  ],
  [
    "ROUTES",
    ["GET /movies,POST /auth/login", "DELETE /auth/sessions/{sessionId}"],
    ["/movies", "get /movies", "GET movies", "GET /movies,", "GET  /movies"],
  ],
  [
    "ALLOWED_HEADERS",
    ["x-request-id", "X-Request-Id, traceparent,x_1"],
    ["*", "x-*", "x-a,", "x a", "x-a: b", "x-a;x-b", a(65)],
  ],
  ["HSTS_INCLUDE_SUBDOMAINS", names("on off"), names("On true 1 includeSubDomains")],
  [
    "TRUSTED_PROXY_SECRET",
    [a(32), a(256), `${a(32)},${"b".repeat(32)}`, `${a(32)}, ${"b".repeat(32)}`],
    [a(31), a(257), `${a(32)},`, `${a(32)},${a(31)}`, `${a(32)} ${a(32)}`, [a(32), a(32), a(32)].join()],
  ],
  [
    "TRUSTED_PROXY_HEADER",
    names("cloudfront-viewer-address X-Client-Address x-real-ip"),
    [
      ...names("x-forwarded-for X-Forwarded-For Forwarded x-proxy-secret Cookie Authorization"),
      "a b",
      "1",
      "a:",
    ],
  ],
  [
    "MAIL_FROM",
    ["auth@example.com", "Example <auth@mail.example.com>", "Café d'Été, Ltd. <a+b@example.com>"],
    [
      ...[
        "example.com",
        "Example auth@example.com",
        "<auth@example.com>",
        "jörg@example.com",
        "a@bücher.example",
      ],
      ...["a@example.com, b@example.com", "A\r\nBcc: b@example.com <a@example.com>", 'A" <a@example.com>'],
      ...["a@example.com\n", "a@localhost", "A <a@example.com> ", "A <B <a@example.com>"],
    ],
  ],
  ["MAIL_REPLY_TO", ["help@example.com"], ["Help <help@example.com>", "help"]],
  [
    "MAIL_LINK",
    names("https://example.com https://app.example.com/account?from=mail http://localhost:3000/"),
    [
      ...names("example.com https://example.com/#/account https://user@example.com javascript:alert(1)"),
      ...["https://example.com/a b", "https://example.com/\n", "https://example.com/é"],
    ],
  ],
  ["APP_NAME", ["Example", 'A <b>&"', "Café ☕", a(64)], ["A\nB", "A\u2028B", "A\u202eB", a(65)]],
  ["MAIL_LANGUAGES", names("en de de,en"), names("fr en,fr en,en de; EN en-GB")],
  ["SES_CONFIGURATION_SET", ["auth-api_prod", a(64)], ["a b", "a.b", a(65)]],
  ["SES_ENDPOINT", ["http://localhost:8005", "https://ses.example.com"], ["localhost:8005"]],
  ["MAIL_LIMIT_PER_SOURCE_PER_HOUR", names("0 100000"), names("-1 100001")],
  ["JWT_PUBLIC_KEYS", [jwks(publicKey)], ["{}", "[]", jwks(), jwks(signingKey)]],
];

test.each(rules)("H13 %s: what is accepted and what is refused", (variable, accepted, refused) => {
  const name = Object.keys(all).find((name) => all[name]?.variable === variable) as SettingName;
  for (const text of accepted)
    expect([text, faultsOf([name], { STAGE: "dev", [variable]: text })]).toEqual([text, []]);
  for (const text of refused) {
    const faults = faultsOf([name], { STAGE: "dev", [variable]: text });
    expect([text, faults]).toEqual([text, [expect.stringMatching(new RegExp(`^${variable} `))]]);
  }
});

test("a number is read as a number, a list as a list, an issuer letter by letter", () => {
  const [stage, issuer] = ["dev", "https://EXAMPLE.com/Auth"];
  const environment = {
    REFRESH_WINDOW_SECONDS: "007",
    ALLOWED_ORIGINS: "https://a.example ,http://b.example",
  };
  const names = ["refreshWindowSeconds", "allowedOrigins", "issuer"] as const;
  const allowedOrigins = ["https://a.example", "http://b.example"];
  const config = read(names, { STAGE: stage, ISSUER: issuer, ...environment });
  expect(config).toEqual({ stage, issuer, refreshWindowSeconds: 7, allowedOrigins });
});

const secrets = { JWT_SIGNING_KEYS_SECRET: "auth/prod", HASH_KEYS_SECRET: "auth/hash" };
const prod = { ...required, STAGE: "prod", ISSUER: "https://auth.example.com" };
const inProd = { ...prod, JWT_SIGNING_KEYS: "", HASH_KEYS: "", ...secrets };
/** In prod, with these keys still in the environment. */
const forgot = (keys: string) => ({ ...inProd, [`${keys}_SECRET`]: "" });
const otherJwk = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });

const noHalf = "lacks the public half of the signing key k1";
const noHost = "must be unset with a __Host- cookie (draft-ietf-httpbis-rfc6265bis, 4.1.3.2)";
const noSecure = "in stage dev with an http ISSUER the cookie has no Secure attribute";
const tooShort = "must be at least 13 in stage prod: the function's timeout and 3 s";
const milliseconds = "must be epoch seconds, not milliseconds: at most 11 digits";
const oneSource = (keys: string) => `(or on one's own machine ${keys}) must be set, and not both`;
const fromSecret = (keys: string) => `must not be used in stage prod: name a secret in ${keys}_SECRET`;

test.each<[variable: string, fault: string, value: string, others?: object]>([
  ["REFRESH_WINDOW_SECONDS", "", "30"],
  ["REFRESH_WINDOW_SECONDS", "must not be above REFRESH_MIN_INTERVAL_SECONDS", "31"],
  ["ACCESS_TOKEN_TTL_SECONDS", "", "60"],
  ["ACCESS_TOKEN_TTL_SECONDS", "must be at least twice REFRESH_MIN_INTERVAL_SECONDS", "59"],
  ["REFRESH_MIN_INTERVAL_SECONDS", "", "13", inProd],
  ["REFRESH_MIN_INTERVAL_SECONDS", tooShort, "12", inProd],
  ["REFRESH_MIN_INTERVAL_SECONDS", "", "0", { STAGE: "test", REFRESH_WINDOW_SECONDS: "0" }],
  ["ISSUER", "must be an https URL in stage prod", "http://auth.example.com", inProd],
  ["DYNAMODB_ENDPOINT", "must be an https URL in stage prod", "http://localhost:8000", inProd],
  ["DYNAMODB_ENDPOINT", "", "https://db.example.com", inProd],
  ["ALLOWED_ORIGINS", "must be https origins in stage prod", "https://a.example,http://b.example", inProd],
  ["ALLOWED_ORIGINS", "", "https://a.example,capacitor://localhost", inProd],
  ["DYNAMODB_ENDPOINT", "", "http://localhost:8000", { ALLOWED_ORIGINS: "http://localhost:5173" }],
  ["SESSIONS_NOT_BEFORE", milliseconds, "1800000000000"],
  ["COOKIE_NAME", "", "__Host-a", inProd],
  ["COOKIE_NAME", "", "__Host-a", { ISSUER: "https://auth.example.com" }],
  ["COOKIE_NAME", `must not begin with __Host- or __Secure-: ${noSecure}`, "__Host-a"],
  ["COOKIE_NAME", `must not begin with __Host- or __Secure-: ${noSecure}`, "__secure-a"],
  ["COOKIE_SAME_SITE", `must not be None: ${noSecure}`, "None"],
  ["COOKIE_SAME_SITE", "", "None", { STAGE: "test" }],
  ["COOKIE_DOMAIN", noHost, "example.com", { ...inProd, COOKIE_NAME: "__HOST-a" }],
  ["JWT_PUBLIC_KEYS", noHalf, jwks({ ...publicKey, kid: "k2" })],
  ["JWT_PUBLIC_KEYS", noHalf, jwks({ ...publicKey, ...otherJwk })],
  ["JWT_SIGNING_KEYS", "", "", inProd],
  ["JWT_SIGNING_KEYS_SECRET", oneSource("JWT_SIGNING_KEYS"), "auth/dev"],
  ["JWT_SIGNING_KEYS", fromSecret("JWT_SIGNING_KEYS"), required.JWT_SIGNING_KEYS, forgot("JWT_SIGNING_KEYS")],
  ["HASH_KEYS_SECRET", oneSource("HASH_KEYS"), "auth/dev"],
  ["HASH_KEYS", fromSecret("HASH_KEYS"), required.HASH_KEYS, forgot("HASH_KEYS")],
])("K03 settings together: %s %s", (variable, fault, value, others = {}) => {
  const faults = faultsOf(refreshSettings, { ...required, ...others, [variable]: value });
  expect(faults).toEqual(fault ? [`${variable} ${fault}`] : []);
});

const withMail = {
  ...inProd,
  ...{ IDENTITIES_TABLE: "identities", ATTEMPTS_TABLE: "attempts", MAILS_TABLE: "mails" },
  ...{ AUDIT_TABLE: "audit" },
  ...{ CODE_KEYS_SECRET: "auth/code", FACTOR_KEYS_SECRET: "auth/factor" },
  ...{ MAIL_FROM: "Example <auth@example.com>", MAIL_LINK: "https://app.example.com/account" },
  ...{ ALLOWED_ORIGINS: "https://app.example.com", SES_CONFIGURATION_SET: "auth" },
};
const notOurs = "MAIL_LINK must be a page of the API's own origin, or of one in ALLOWED_ORIGINS";

test.each<[change: Record<string, string>, faults: string[]]>([
  [{}, []],
  [{ MAIL_LINK: "https://auth.example.com/" }, []],
  [{ MAIL_LINK: "" }, ["MAIL_LINK is missing"]],
  [{ MAIL_LINK: "https://app.example.com.evil.example/" }, [notOurs]],
  [{ MAIL_LINK: "http://app.example.com/" }, ["MAIL_LINK must be an https URL in stage prod", notOurs]],
  [{ SES_ENDPOINT: "http://localhost:8005" }, ["SES_ENDPOINT must be an https URL in stage prod"]],
  [{ CODE_KEYS_SECRET: "" }, [`CODE_KEYS_SECRET ${oneSource("CODE_KEYS")}`]],
  [
    {
      MAIL_FROM: "",
      MAIL_LINK: "",
      MAILS_TABLE: "",
      AUDIT_TABLE: "",
      CODE_KEYS_SECRET: "",
      SES_CONFIGURATION_SET: "",
    },
    [],
  ],
])("a deployment with mail needs what mail needs, one without does not: %j", (change, faults) => {
  const environment: Record<string, string> = { ...withMail, ...change };
  const needed = Object.keys(listNeededSettings(environment)) as SettingName[];
  expect(faultsOf(needed, environment)).toEqual(faults);
});

test("a sender is read as a name and an address, languages in their order", () => {
  const config = read(["mailFrom", "mailLanguages", "appName"], withMail);
  expect(config).toMatchObject({
    mailFrom: { name: "Example", address: "auth@example.com" },
    mailLanguages: ["en", "de"],
    appName: undefined,
  });
  const MAIL_LANGUAGES = "de, en";
  expect(read(["mailLanguages"], { STAGE: "dev", MAIL_LANGUAGES }).mailLanguages).toEqual(["de", "en"]);
});

test("the stage is known, whatever is read: a rule that looks at it always holds", () => {
  const ISSUER = "http://auth.example.com";
  const inProd = faultsOf(["issuer"], { STAGE: "prod", ISSUER });
  expect(inProd).toEqual(["ISSUER must be an https URL in stage prod"]);
  expect(faultsOf(["issuer"], { ISSUER })).toEqual(["STAGE is missing"]);
});

test("a rule is silent where one of its settings is not read or not sound", () => {
  const window = { STAGE: "dev", REFRESH_WINDOW_SECONDS: "60" };
  expect(faultsOf(["refreshWindowSeconds"], window)).toEqual([]);
  const unsound = { ...window, REFRESH_MIN_INTERVAL_SECONDS: "soon" };
  expect(faultsOf(["refreshWindowSeconds", "refreshMinIntervalSeconds"], unsound)).toEqual([
    "REFRESH_MIN_INTERVAL_SECONDS must be a whole number from 0 to 3600",
  ]);
});
