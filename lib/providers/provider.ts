/** Whose rules hold for what a provider says of an address: lib/providers/evidence.ts. */
export type Preset = "google" | "apple" | "github" | "microsoft" | "oidc";

/** A provider that users can sign in with. */
export interface Provider {
  /** Its name in the routes. */
  id: string;
  preset: Preset;
  /** What a button says. */
  name: string;
  /** Ours, at the provider. */
  clientId: string;
  /** Of apps that sign in with the provider's SDK: their ID tokens count, too. */
  nativeClientIds: string[];
  /** Pages of the application that it may send the browser back to; the first one where none is asked for. */
  redirectUris: string[];
  /** `form_post`: it posts a form to a route of ours, the redirect URI, which sends the browser on to `page`. */
  responseMode?: "query" | "form_post";
  page?: string;
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  /** Of its ID tokens; absent where it issues none (GitHub). */
  jwksUri?: string;
  /** The API that tells who has signed in, where there are no ID tokens. */
  apiUrl?: string;
  /** What its ID tokens may be signed with. */
  algorithms: string[];
  scope: string;
  prompt?: string;
  /** It names itself in each return (RFC 9207): one without `iss` is refused. */
  sendsIss: boolean;
  /** Domains whose addresses the provider alone gives out. */
  emailDomains: string[];
}

type Endpoints = Pick<
  Provider,
  "issuer" | "authorizationEndpoint" | "tokenEndpoint" | "jwksUri" | "apiUrl" | "scope" | "responseMode"
>;

const presets: Record<Exclude<Preset, "oidc" | "microsoft">, Endpoints & { name: string }> = {
  google: {
    name: "Google",
    issuer: "https://accounts.google.com",
    authorizationEndpoint: "https://accounts.google.com/o/oauth2/v2/auth",
    tokenEndpoint: "https://oauth2.googleapis.com/token",
    jwksUri: "https://www.googleapis.com/oauth2/v3/certs",
    scope: "openid email",
  },
  apple: {
    name: "Apple",
    issuer: "https://appleid.apple.com",
    authorizationEndpoint: "https://appleid.apple.com/auth/authorize",
    tokenEndpoint: "https://appleid.apple.com/auth/token",
    jwksUri: "https://appleid.apple.com/auth/keys",
    scope: "email",
    // Where an address is asked for it takes no other.
    responseMode: "form_post",
  },
  github: {
    name: "GitHub",
    issuer: "https://github.com/login/oauth",
    authorizationEndpoint: "https://github.com/login/oauth/authorize",
    tokenEndpoint: "https://github.com/login/oauth/access_token",
    apiUrl: "https://api.github.com",
    scope: "user:email",
  },
};

/** One tenant's: whoever may sign in to any tenant may claim any address. */
function createMicrosoft(tenant: string): Endpoints & { name: string } {
  const base = `https://login.microsoftonline.com/${tenant}`;
  return {
    name: "Microsoft",
    issuer: `${base}/v2.0`,
    authorizationEndpoint: `${base}/oauth2/v2.0/authorize`,
    tokenEndpoint: `${base}/oauth2/v2.0/token`,
    jwksUri: `${base}/discovery/v2.0/keys`,
    scope: "openid email",
  };
}

/** A function's whole environment may have 4 KB. */
const maxBytes = 2_048;
const maxProviders = 8;
/** What ID tokens may be signed with; nothing that whoever verifies could sign with. */
export const algorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

// Each by itself: what is reached through an object is kept in every bundle that has any setting.
const isId = (value: unknown) => typeof value === "string" && /^[a-z0-9-]{1,32}$/.test(value);
const isText = (value: unknown) => typeof value === "string" && /^[\x20-\x7e]{1,256}$/.test(value);
const isName = (value: unknown) => typeof value === "string" && /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u.test(value);
const isTenant = (value: unknown) =>
  typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
const isUrl = (value: unknown) => typeof value === "string" && isPlainUrl(value);
const isFlag = (value: unknown) => typeof value === "boolean";
const presetNames = ["google", "apple", "github", "microsoft"];
const isPreset = (value: unknown) => [...presetNames, "oidc"].includes(String(value));
const isMode = (value: unknown) => value === "query" || value === "form_post";
const isListOf = (value: unknown, isSound: (each: unknown) => boolean) =>
  Array.isArray(value) && value.length > 0 && value.every(isSound);
const areUrls = (value: unknown) => isListOf(value, isUrl);
const areTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const areDomains = (value: unknown) =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && /^[a-z0-9.-]{3,253}$/.test(each));
const areAlgorithms = (value: unknown) => isListOf(value, (each) => algorithms.includes(String(each)));

/** The members of an entry: what each may be, and how a fault calls it. */
const members: Record<string, [isSound: (value: unknown) => boolean, rule: string]> = {
  id: [isId, "1 to 32 of a-z 0-9 -"],
  preset: [isPreset, "google, apple, github, microsoft or oidc"],
  name: [isName, "1 to 64 visible characters"],
  clientId: [isText, "a text"],
  nativeClientIds: [areTexts, "a list of texts"],
  redirectUris: [areUrls, "a list of URLs"],
  responseMode: [isMode, "query or form_post"],
  page: [isUrl, "a URL"],
  issuer: [isUrl, "a URL"],
  authorizationEndpoint: [isUrl, "a URL"],
  tokenEndpoint: [isUrl, "a URL"],
  jwksUri: [isUrl, "a URL"],
  apiUrl: [isUrl, "a URL"],
  algorithms: [areAlgorithms, "some of RS256, PS256, ES256, EdDSA, Ed25519"],
  scope: [isText, "a text"],
  prompt: [isText, "a text"],
  sendsIss: [isFlag, "true or false"],
  tenant: [isTenant, "the id of one tenant (a UUID), not common, organizations or consumers"],
  emailDomains: [areDomains, "a list of domains"],
};

const required = ["clientId", "redirectUris", "issuer", "authorizationEndpoint", "tokenEndpoint", "scope"];

/** Takes the list of providers. Throws TypeError that lists everything wrong with it. */
export function parseProviders(text: string): Provider[] {
  if (Buffer.byteLength(text) > maxBytes) throw new TypeError(`must have at most ${maxBytes} bytes`);
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > maxProviders)
    throw new TypeError(`must be a JSON list of 1 to ${maxProviders} providers (docs/sign-in.md)`);
  const read = entries.map(readEntry);
  const faults = read.flatMap(({ faults }, index) =>
    faults.map((fault) => `provider ${index + 1}: ${fault}`),
  );
  const providers = read.map(({ provider }) => provider);
  if (faults.length === 0) faults.push(...listCollisions(providers));
  if (faults.length > 0) throw new TypeError(faults.join("; "));
  return providers;
}

function readEntry(entry: unknown): { provider: Provider; faults: string[] } {
  const given = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
  const { preset = given.id, tenant, ...own } = given;
  const kind = (presetNames.find((each) => each === preset) ?? "oidc") as Preset;
  const known =
    kind === "microsoft"
      ? createMicrosoft(String(tenant))
      : kind === "oidc"
        ? { name: String(given.id), scope: "openid email" }
        : presets[kind];
  const provider = {
    ...{ algorithms: ["RS256"], sendsIss: false, emailDomains: [], nativeClientIds: [] },
    ...known,
    ...own,
    preset: kind,
  } as unknown as Provider;
  const needed = ["id", ...required, kind === "github" ? "apiUrl" : "jwksUri"];
  if (kind === "microsoft") needed.push("tenant");
  if (provider.responseMode === "form_post") needed.push("page");
  const whole: Record<string, unknown> = { ...provider, ...(tenant !== undefined && { tenant }) };
  return {
    provider,
    faults: [
      ...needed.filter((name) => whole[name] === undefined).map((name) => `${name} is missing`),
      ...Object.entries({ ...whole, preset: given.preset ?? kind }).flatMap(([name, value]) => {
        const [isSound, rule] = (Object.hasOwn(members, name) && members[name]) || [];
        if (!isSound) return [`${name} is not known`];
        return value === undefined || isSound(value) ? [] : [`${name} must be ${rule}`];
      }),
      ...findFormFaults(provider),
    ],
  };
}

/** A form can be posted to a route of ours alone; what comes by a redirect goes to the page itself. */
function findFormFaults({ id, responseMode, page, redirectUris }: Provider): string[] {
  if (responseMode !== "form_post") return page === undefined ? [] : ["page is for responseMode form_post"];
  const route = `/auth/external/${id}/form`;
  const isRight = Array.isArray(redirectUris) && redirectUris.every((uri) => String(uri).endsWith(route));
  return isRight ? [] : [`redirectUris must end with ${route}: from there the browser goes on to page`];
}

/** Where a provider does not name itself, the page that it returns to says which it was (RFC 9700, 4.4.2.2). */
function listCollisions(providers: Provider[]): string[] {
  const repeated = (texts: string[]) => texts.filter((text, index) => texts.indexOf(text) < index);
  return [
    ...repeated(providers.map(({ id }) => id)).map((id) => `two providers have the id ${id}`),
    ...repeated(providers.flatMap(({ redirectUris, page = [] }) => [...redirectUris, page].flat())).map(
      (uri) => `${uri} stands there twice: each provider returns to a page of its own`,
    ),
  ];
}

/** Compared letter by letter, by us and by the provider. */
function isPlainUrl(text: string): boolean {
  if (!/^https?:\/\/[\x21-\x7e]{1,500}$/.test(text) || text.includes("#") || !URL.canParse(text))
    return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

/** Every URL of a provider: outside one's own machine each is https. */
export const listUrls = ({ redirectUris, ...provider }: Provider): string[] => [
  ...redirectUris,
  ...[provider.issuer, provider.authorizationEndpoint, provider.tokenEndpoint],
  ...[provider.jwksUri ?? [], provider.apiUrl ?? [], provider.page ?? []].flat(),
];
