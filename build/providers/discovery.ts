import { getDomainWithoutSuffix } from "tldts";
import { createFetchJson } from "../../lib/providers/fetch-json.ts";
import { algorithms, parseProviders } from "../../lib/providers/provider.ts";

/** What an OpenID provider says of itself (OpenID Connect Discovery 1.0, section 3). */
type Metadata = Record<string, unknown>;

/** Asks; longer than a sign-in would wait. */
export const fetchJson = createFetchJson(5_000);

/** What a person has to fill in: as it stands it is refused. */
const unknown = { clientId: "<as the provider gave it to you>", redirectUris: ["<your page>"] };

/** An entry of IDENTITY_PROVIDERS, and what to know of that provider. */
export interface Shown {
  entry: object;
  remarks: string[];
}

/** Gives the entry for a provider: a preset by its name or its issuer, another by its discovery document. Throws Error. */
export async function showProvider(target: string, id?: string): Promise<Shown> {
  const preset = findPreset(target);
  if (preset)
    return {
      entry: { ...named(preset.name, id), ...unknown, ...preset.more },
      remarks: [preset.remark].flat(),
    };
  const metadata = await readMetadata(target);
  const entry = { id: id ?? toId(target), ...unknown, ...toEntry(metadata) };
  // It says whatever it likes.
  parseProviders(JSON.stringify([{ ...entry, ...filledIn }]));
  return { entry, remarks: listRemarks(metadata) };
}

const filledIn = { clientId: "web", redirectUris: ["https://app.example.com/signed-in"] };

/** The name below the public suffix: `example` of https://id.example.com. */
function toId(issuer: string): string {
  const name = getDomainWithoutSuffix(new URL(issuer).hostname) ?? "";
  return name.replace(/[^a-z0-9-]/g, "-").slice(0, 32) || "provider";
}

const named = (preset: string, id = preset) => (id === preset ? { id } : { id, preset });

function findPreset(target: string): { name: string; more?: object; remark: string | string[] } | undefined {
  const [, tenant] = /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/v2\.0\/?$/.exec(target) ?? [];
  if (target === "microsoft" || tenant !== undefined)
    return {
      name: "microsoft",
      more: { tenant: tenant ?? "<the id of your tenant>" },
      remark:
        "Add the optional claims email and xms_edov to its ID token, or name your domains in emailDomains.",
    };
  if (target === "google" || target === "https://accounts.google.com") return { name: "google", remark: [] };
  if (target === "github" || target === "https://github.com/login/oauth")
    return { name: "github", remark: [] };
  if (target === "apple" || target === "https://appleid.apple.com")
    return {
      name: "apple",
      more: { redirectUris: ["<https://your API>/auth/external/apple/form"], page: "<your page>" },
      remark: "It posts to the API, which sends the browser on to your page.",
    };
  return undefined;
}

/** Reads the discovery document of an issuer. Throws Error that says what is wrong. */
export async function readMetadata(issuer: string): Promise<Metadata> {
  const isUrl = URL.canParse(issuer) && /^https:|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(issuer);
  if (!isUrl) throw new Error(`"${issuer}" is no issuer: it begins with https://`);
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const headers = { accept: "application/json" };
  const response = await fetchJson(url, { method: "GET", headers }).catch((error: Error) => {
    throw new Error(`${url}: ${error.message}`);
  });
  if (response.status !== 200) throw new Error(`${url}: status ${response.status}`);
  const metadata = (await response.json()) as Metadata;
  if (metadata.issuer !== issuer)
    throw new Error(
      `${url} is of the issuer ${JSON.stringify(metadata.issuer)}: that must be the same, letter by letter.`,
    );
  return metadata;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** What of the document stands in an entry, as it says it. */
export function toEntry(metadata: Metadata): Record<string, unknown> {
  const known = listOf(metadata.id_token_signing_alg_values_supported).filter((each) =>
    algorithms.includes(String(each)),
  );
  const isUsual = known.length === 0 || (known.length === 1 && known[0] === "RS256");
  return {
    issuer: metadata.issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    jwksUri: metadata.jwks_uri,
    ...(!isUsual && { algorithms: known }),
    ...(metadata.authorization_response_iss_parameter_supported === true && { sendsIss: true }),
  };
}

/** What may not work, by what the provider says of itself. */
function listRemarks(metadata: Metadata): string[] {
  const lacks = (member: string, value: string) =>
    Array.isArray(metadata[member]) && !listOf(metadata[member]).includes(value);
  return [
    ...(lacks("code_challenge_methods_supported", "S256") ||
    metadata.code_challenge_methods_supported === undefined
      ? ["It does not say that it takes PKCE (S256). Most providers without it ignore it."]
      : []),
    ...(lacks("token_endpoint_auth_methods_supported", "client_secret_post")
      ? ["It does not take the client secret in the body (client_secret_post): sign-ins will fail."]
      : []),
    ...(lacks("id_token_signing_alg_values_supported", "RS256") && toEntry(metadata).algorithms === undefined
      ? ["It signs ID tokens with nothing that is known here."]
      : []),
    ...(lacks("claims_supported", "email_verified")
      ? ["It does not say that it knows email_verified: without that no account can be made."]
      : []),
    "See that it puts email and email_verified into the ID token.",
  ];
}
