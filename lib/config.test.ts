import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import {
  cookieSettings,
  issuerSettings,
  lifetimeSettings,
  readConfig,
  requestSettings,
  type SettingName,
  settingVariables,
} from "./config.ts";

const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
const { d, ...publicHalf } = jwk;
const signingKey = { ...jwk, kid: "k1", alg: "EdDSA", activeFrom: 0 };
const publicKey = { ...publicHalf, kid: "k1", alg: "EdDSA", use: "sig" };

const jwks = (...keys: object[]) => JSON.stringify({ keys });
const required = {
  STAGE: "dev",
  ISSUER: "http://localhost:3000",
  AUDIENCE: "api",
  CLIENT_ID: "web",
  USERS_TABLE: "users",
  SESSIONS_TABLE: "sessions",
  ROUTES: "GET /movies",
  JWT_PUBLIC_KEYS: jwks(publicKey),
  JWT_SIGNING_KEYS: jwks(signingKey),
};

const refreshSettings: SettingName[] = [
  ...requestSettings,
  ...cookieSettings,
  ...issuerSettings,
  ...lifetimeSettings,
  ...(["refreshWindowSeconds", "refreshMinIntervalSeconds", "sessionsNotBefore"] as const),
  ...(["sessionsTable", "dynamodbEndpoint", "usersTable", "passwordMinLength", "routes"] as const),
];

/** The lines of the refusal, without its heading; none if there is no refusal. */
function faultsOf(names: readonly SettingName[], environment: Record<string, string | undefined>): string[] {
  try {
    readConfig(names, environment);
    return [];
  } catch (error) {
    const [heading, ...faults] = (error as Error).message.split("\n");
    expect(heading).toBe("The configuration is not valid:");
    return faults.map((fault) => fault.replace(/^- /, ""));
  }
}

test("what is not set has the value of the README; an empty variable is not set", () => {
  const expected = {
    ...{ stage: "dev", issuer: "http://localhost:3000", audience: "api", clientId: "web" },
    ...{ usersTable: "users", sessionsTable: "sessions", dynamodbEndpoint: undefined },
    ...{ accessTokenTtlSeconds: 900, refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 },
    ...{ refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30, sessionsNotBefore: 0 },
    ...{ cookieName: "auth-cookie", cookieSameSite: "Strict", cookieDomain: undefined },
    ...{ allowedOrigins: [], passwordMinLength: 15, routes: [{ method: "GET", path: "/movies" }] },
    ...{ jwtPublicKeys: [publicKey], jwtSigningKeys: [signingKey], jwtSigningKeysSecret: undefined },
  };
  expect(readConfig(refreshSettings, required)).toEqual(expected);
  const empty = Object.fromEntries(settingVariables.map((variable) => [variable, ""]));
  expect(readConfig(refreshSettings, { ...empty, ...required })).toEqual(expected);
});

test("all problems are listed at once, each once, in the words of the environment", () => {
  const names = [...refreshSettings, ...refreshSettings];
  expect(faultsOf(names, { REFRESH_WINDOW_SECONDS: "ten", COOKIE_SAME_SITE: "strict" }).toSorted()).toEqual([
    "AUDIENCE is missing",
    "CLIENT_ID is missing",
    "COOKIE_SAME_SITE must be one of Strict, Lax, None",
    "ISSUER is missing",
    "JWT_PUBLIC_KEYS is missing",
    "JWT_SIGNING_KEYS_SECRET (or on one's own machine JWT_SIGNING_KEYS) must be set, and not both",
    "REFRESH_WINDOW_SECONDS must be a whole number from 0 to 60",
    "ROUTES is missing",
    "SESSIONS_TABLE is missing",
    "STAGE is missing",
    "USERS_TABLE is missing",
  ]);
});

test("a function is asked only for what it reads: a protected route needs no table and no signing key", () => {
  const movies = ["issuer", "audience", "accessTokenTtlSeconds", "cookieName", "jwtPublicKeys"] as const;
  const { ISSUER, AUDIENCE, JWT_PUBLIC_KEYS } = required;
  const config = readConfig(movies, { ISSUER, AUDIENCE, JWT_PUBLIC_KEYS, USERS_TABLE: "?", STAGE: "?" });
  expect(Object.keys(config).toSorted()).toEqual(movies.toSorted());
});

test("no message quotes what a variable holds", () => {
  const environment = Object.fromEntries(settingVariables.map((variable) => [variable, '"hunter2 <\n>']));
  const faults = faultsOf(refreshSettings, environment);
  expect(faults.length).toBeGreaterThanOrEqual(settingVariables.length - 3);
  expect(faults.join()).not.toContain("hunter2");
  const broken = { ...required, JWT_SIGNING_KEYS: `{"keys":[{"d":"hunter2"` };
  expect(faultsOf(refreshSettings, broken).join()).not.toContain("hunter2");
});

interface Rule {
  variable: string;
  name: SettingName;
  accepted: string[];
  refused: string[];
}

const whole = ["", " ", "-1", "1.5", "1e3", "0x10", " 5", "5 ", "ten", "NaN", "Infinity", "１"];

/** Each alone, without the rules between settings. */
const rules: Rule[] = [
  {
    ...{ variable: "STAGE", name: "stage" },
    accepted: ["dev", "prod", "pr-17", "a", "a".repeat(31)],
    refused: ["Dev", "1st", "-dev", "dev_1", "dev\n", "a".repeat(32)],
  },
  {
    ...{ variable: "ISSUER", name: "issuer" },
    accepted: ["https://auth.example.com", "https://example.com/auth/v1", "http://localhost:3000"],
    refused: [
      ...["auth.example.com", "ftp://example.com", "https://", "https://example.com/", "https:example.com"],
      ...["https://example.com?a=b", "https://example.com#a", "javascript:alert(1)", "https://exa mple.com"],
      ...["https://user@example.com", "https://:password@example.com", "https://example.com/a b"],
      ...[
        "https://example.com?",
        "https://example.com/auth#",
        "https://example.com ",
        " https://example.com",
      ],
      ...[
        "https://exam\tple.com",
        "https://example.com\n",
        "https://example.com/\u00a0",
        "https://exämple.com",
      ],
      `https://example.com/${"a".repeat(181)}`,
    ],
  },
  {
    ...{ variable: "AUDIENCE", name: "audience" },
    accepted: ["api", "https://api.example.com/", "a".repeat(128)],
    refused: ["a b", "é", "a\n", "a".repeat(129)],
  },
  {
    ...{ variable: "CLIENT_ID", name: "clientId" },
    accepted: ["web", "a".repeat(128)],
    refused: ["a b", "a".repeat(129)],
  },
  {
    ...{ variable: "SESSIONS_TABLE", name: "sessionsTable" },
    accepted: ["abc", "auth-dev_sessions.1", "a".repeat(255)],
    refused: ["ab", "a b c", "[object Object]", "arn:aws:x", "a".repeat(256)],
  },
  {
    ...{ variable: "DYNAMODB_ENDPOINT", name: "dynamodbEndpoint" },
    accepted: ["http://localhost:8000", "https://dynamodb.eu-central-1.amazonaws.com"],
    refused: ["localhost:8000", "file:///tmp", "http://"],
  },
  {
    ...{ variable: "ACCESS_TOKEN_TTL_SECONDS", name: "accessTokenTtlSeconds" },
    accepted: ["1", "900", "86400"],
    refused: [...whole.slice(1), "0", "86401"],
  },
  {
    ...{ variable: "REFRESH_TOKEN_TTL_SECONDS", name: "refreshTokenTtlSeconds" },
    accepted: ["1", "34560000"],
    refused: ["0", "34560001"],
  },
  {
    ...{ variable: "SESSION_MAX_AGE_SECONDS", name: "sessionMaxAgeSeconds" },
    accepted: ["1", "34560000"],
    refused: ["0", "34560001", "9".repeat(400)],
  },
  {
    ...{ variable: "REFRESH_WINDOW_SECONDS", name: "refreshWindowSeconds" },
    accepted: ["0", "60"],
    refused: ["61"],
  },
  {
    ...{ variable: "REFRESH_MIN_INTERVAL_SECONDS", name: "refreshMinIntervalSeconds" },
    accepted: ["0", "3600"],
    refused: ["3601"],
  },
  {
    ...{ variable: "COOKIE_NAME", name: "cookieName" },
    accepted: ["auth-cookie", "__Host-auth-cookie", "a".repeat(64)],
    refused: ["a b", "a;b", "a=b", "a\r\nb", '"a"', "a".repeat(65)],
  },
  {
    ...{ variable: "COOKIE_SAME_SITE", name: "cookieSameSite" },
    accepted: ["Strict", "Lax", "None"],
    refused: ["strict", "Strict; Domain=evil.example", "constructor"],
  },
  {
    ...{ variable: "COOKIE_DOMAIN", name: "cookieDomain" },
    accepted: ["example.com", "a-b.example.co.uk"],
    refused: ["localhost", ".example.com", "example.com.", "Example.com", "example.com; Path=/a", "a..b"],
  },
  {
    ...{ variable: "ALLOWED_ORIGINS", name: "allowedOrigins" },
    accepted: ["https://app.example.com", "https://a.example, http://localhost:5173"],
    refused: [
      ...["*", "null", "https://*.example.com/", "https://app.example.com/", "https://app.example.com/path"],
      ...["https://APP.example.com", "https://app.example.com:443", "app.example.com", "https://a.example,"],
      ...["https://a.example https://b.example", "https://user@a.example", "ftp://a.example"],
    ],
  },
  {
    ...{ variable: "PASSWORD_MIN_LENGTH", name: "passwordMinLength" },
    accepted: ["8", "64"],
    refused: ["7", "65"],
  },
  {
    ...{ variable: "SESSIONS_NOT_BEFORE", name: "sessionsNotBefore" },
    accepted: ["0", "1800000000", "99999999999"],
    refused: ["100000000000", "1800000000000", "2026-01-01", "-1", "1.5", "1e9", " 5"],
  },
  {
    ...{ variable: "ROUTES", name: "routes" },
    accepted: ["GET /movies,POST /auth/login", "DELETE /auth/sessions/{sessionId}"],
    refused: ["/movies", "get /movies", "GET movies", "GET /movies,", "GET  /movies"],
  },
  {
    ...{ variable: "JWT_PUBLIC_KEYS", name: "jwtPublicKeys" },
    accepted: [jwks(publicKey)],
    refused: ["{}", "[]", jwks(), jwks(signingKey)],
  },
];

test.each(rules)(
  "$variable: what is accepted and what is refused",
  ({ variable, name, accepted, refused }) => {
    for (const text of accepted) expect([text, faultsOf([name], { [variable]: text })]).toEqual([text, []]);
    for (const text of refused) {
      const faults = faultsOf([name], { [variable]: text });
      expect([text, faults]).toEqual([text, [expect.stringMatching(new RegExp(`^${variable} `))]]);
    }
  },
);

test("a number is read as a number, a list as a list, an issuer letter by letter", () => {
  const config = readConfig(["refreshWindowSeconds", "allowedOrigins", "issuer"], {
    REFRESH_WINDOW_SECONDS: "007",
    ALLOWED_ORIGINS: "https://a.example ,http://localhost:5173",
    ISSUER: "https://EXAMPLE.com/Auth",
  });
  expect(config).toEqual({
    refreshWindowSeconds: 7,
    allowedOrigins: ["https://a.example", "http://localhost:5173"],
    issuer: "https://EXAMPLE.com/Auth",
  });
});

test.each(["*", "https://app.example.com,*", "https://*", "http://*", "https://*.example.com"])(
  "H13 credentials for any origin are refused: %s",
  (origins) => {
    expect(faultsOf(["allowedOrigins"], { ALLOWED_ORIGINS: origins })).toHaveLength(1);
  },
);

const prod = { ...required, STAGE: "prod", ISSUER: "https://auth.example.com" };
const inProd = { ...prod, JWT_SIGNING_KEYS: undefined, JWT_SIGNING_KEYS_SECRET: "auth/prod" };
const otherJwk = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });

test.each([
  ["window equal to the interval", { ...required, REFRESH_WINDOW_SECONDS: "30" }, []],
  [
    "window above the interval",
    { ...required, REFRESH_WINDOW_SECONDS: "31" },
    ["REFRESH_WINDOW_SECONDS must not be above REFRESH_MIN_INTERVAL_SECONDS"],
  ],
  ["access life twice the interval", { ...required, ACCESS_TOKEN_TTL_SECONDS: "60" }, []],
  [
    "access life below twice the interval",
    { ...required, ACCESS_TOKEN_TTL_SECONDS: "59" },
    ["ACCESS_TOKEN_TTL_SECONDS must be at least twice REFRESH_MIN_INTERVAL_SECONDS"],
  ],
  ["interval of the function's timeout and 3 s", { ...inProd, REFRESH_MIN_INTERVAL_SECONDS: "13" }, []],
  [
    "interval below the function's timeout and 3 s",
    { ...inProd, REFRESH_MIN_INTERVAL_SECONDS: "12" },
    ["REFRESH_MIN_INTERVAL_SECONDS must be at least 13 in stage prod: the function's timeout and 3 s"],
  ],
  [
    "any interval on one's own machine",
    { ...required, STAGE: "test", REFRESH_MIN_INTERVAL_SECONDS: "0", REFRESH_WINDOW_SECONDS: "0" },
    [],
  ],
  [
    "plain http in prod",
    { ...inProd, ISSUER: "http://auth.example.com" },
    ["ISSUER must be an https URL in stage prod"],
  ],
  [
    "a database without TLS in prod",
    { ...inProd, DYNAMODB_ENDPOINT: "http://localhost:8000" },
    ["DYNAMODB_ENDPOINT must be an https URL in stage prod"],
  ],
  ["another database in prod", { ...inProd, DYNAMODB_ENDPOINT: "https://db.example.com" }, []],
  [
    "origins without TLS in prod",
    { ...inProd, ALLOWED_ORIGINS: "https://a.example,http://b.example" },
    ["ALLOWED_ORIGINS must be https origins in stage prod"],
  ],
  [
    "no TLS on one's own machine",
    { ...required, ALLOWED_ORIGINS: "http://localhost:5173", DYNAMODB_ENDPOINT: "http://localhost:8000" },
    [],
  ],
  [
    "a time in milliseconds",
    { ...required, SESSIONS_NOT_BEFORE: "1800000000000" },
    ["SESSIONS_NOT_BEFORE must be epoch seconds, not milliseconds: at most 11 digits"],
  ],
  ["a __Host- cookie", { ...required, COOKIE_NAME: "__Host-a" }, []],
  [
    "a __Host- cookie with a domain",
    { ...required, COOKIE_NAME: "__HOST-a", COOKIE_DOMAIN: "example.com" },
    ["COOKIE_DOMAIN must be unset with a __Host- cookie (draft-ietf-httpbis-rfc6265bis, 4.1.3.2)"],
  ],
  [
    "K03 a signing key that nobody can verify",
    { ...required, JWT_PUBLIC_KEYS: jwks({ ...publicKey, kid: "k2" }) },
    ["JWT_PUBLIC_KEYS lacks the public half of the signing key k1"],
  ],
  [
    "a signing key under whose kid another key is published",
    { ...required, JWT_PUBLIC_KEYS: jwks({ ...publicKey, ...otherJwk }) },
    ["JWT_PUBLIC_KEYS lacks the public half of the signing key k1"],
  ],
  ["keys from a secret", inProd, []],
  [
    "keys in the environment and from a secret",
    { ...required, JWT_SIGNING_KEYS_SECRET: "auth/dev" },
    ["JWT_SIGNING_KEYS_SECRET (or on one's own machine JWT_SIGNING_KEYS) must be set, and not both"],
  ],
  [
    "private keys in the environment of prod",
    prod,
    ["JWT_SIGNING_KEYS must not be used in stage prod: name a secret in JWT_SIGNING_KEYS_SECRET"],
  ],
])("settings together: %s", (_, environment, faults) => {
  expect(faultsOf(refreshSettings, environment)).toEqual(faults);
});

test("a rule is silent where one of its settings is not read or not sound", () => {
  expect(faultsOf(["refreshWindowSeconds"], { REFRESH_WINDOW_SECONDS: "60" })).toEqual([]);
  const unsound = { REFRESH_WINDOW_SECONDS: "60", REFRESH_MIN_INTERVAL_SECONDS: "soon" };
  expect(faultsOf(["refreshWindowSeconds", "refreshMinIntervalSeconds"], unsound)).toEqual([
    "REFRESH_MIN_INTERVAL_SECONDS must be a whole number from 0 to 3600",
  ]);
});
