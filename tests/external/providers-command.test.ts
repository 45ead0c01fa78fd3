import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, jest, test } from "@jest/globals";
import { jwtVerify } from "jose";
import { parseProviders } from "../../lib/providers/provider.ts";
import { clock } from "../support/clock.ts";
import { loseAnswer, precededBy } from "../support/faults.ts";
import { keepSecrets } from "../support/log.ts";
import { startOddProvider } from "../support/odd-provider.ts";
import { run } from "../support/run.ts";
import { refuse, startSecretsManager } from "../support/secrets-manager.ts";

// npm run providers. Each run is a process of its own.
jest.setTimeout(600_000);

const odd = await startOddProvider();
const secrets = await startSecretsManager();
const folder = await mkdtemp(join(tmpdir(), "providers-"));
const secretId = "serverless-auth-api-prod-provider-keys";
const stage = ["--stage", "prod", "--region", "eu-central-1"];
const credentials = {
  ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test-secret-access-key" },
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
};
afterAll(async () => {
  await secrets.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  secrets.mend();
  secrets.put(secretId, JSON.stringify({ google: { clientSecret } }));
});
const clientSecret = "a-client-secret-that-nobody-sees";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
keepSecrets(clientSecret, credentials.AWS_SECRET_ACCESS_KEY);

interface Given {
  input?: string;
  settings?: Record<string, string>;
}
async function providers(args: string[], { input = "", settings = {} }: Given = {}) {
  const environment = { ...credentials, LOCAL_DIR: folder, ...settings };
  const ended = await run("build/providers/command.ts", args, environment, undefined, input);
  expect(ended.stdout + ended.stderr).not.toMatch(/^\s+at |a-client-secret-that|BEGIN PRIVATE/m);
  return ended;
}
const json = (text: string) => JSON.parse(text);
const stored = () => json(secrets.find(secretId) ?? "");

const metadata = (more: object = {}) => ({
  issuer: odd.issuer,
  authorization_endpoint: odd.endpoints.authorizationEndpoint,
  token_endpoint: odd.endpoints.tokenEndpoint,
  jwks_uri: odd.endpoints.jwksUri,
  id_token_signing_alg_values_supported: ["RS256", "HS256"],
  code_challenge_methods_supported: ["S256"],
  ...more,
});
const publish = (body: unknown) => odd.answer("/.well-known/openid-configuration", { body });

test("X59 show prints the entry of a provider from what it publishes; what is left to fill in is refused as it stands", async () => {
  publish(
    metadata({
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ["ES256", "RS256", "none"],
      token_endpoint_auth_methods_supported: ["private_key_jwt"],
      claims_supported: ["sub"],
    }),
  );
  const { exitCode, stdout, stderr } = await providers(["show", odd.issuer, "--id", "work"]);
  expect(exitCode).toBe(0);
  const entry = json(stdout);
  expect(entry).toMatchObject({
    id: "work",
    ...odd.endpoints,
    algorithms: ["ES256", "RS256"],
    sendsIss: true,
  });
  expect(stderr).toMatch(/client_secret_post.*\n.*email_verified: without/);
  expect(() => parseProviders(`[${stdout}]`)).toThrow("redirectUris must be a list of URLs");
  const filled = { ...entry, clientId: "web", redirectUris: ["https://app.example.com/work"] };
  expect(parseProviders(JSON.stringify([filled]))).toHaveLength(1);
});

test("X59 show knows the presets without asking anybody", async () => {
  const tenant = "0f0a3a0e-6f0a-4f0e-8f5c-3a7f3d1c2b4a";
  const shown = async (...args: string[]) => json((await providers(["show", ...args])).stdout);
  expect(await shown("https://accounts.google.com", "--id", "work")).toMatchObject({
    id: "work",
    preset: "google",
  });
  expect(await shown(`https://login.microsoftonline.com/${tenant}/v2.0`)).toMatchObject({
    id: "microsoft",
    tenant,
  });
  expect(await shown("apple")).toMatchObject({ id: "apple", page: "<your page>" });
});

test.each<[string, () => void, string]>([
  ["another issuer", () => publish(metadata({ issuer: `${odd.issuer}/` })), "letter by letter"],
  ["no token endpoint", () => publish(metadata({ token_endpoint: undefined })), "tokenEndpoint is missing"],
  [
    "a page of scripts",
    () => publish(metadata({ jwks_uri: "javascript:alert(1)" })),
    "jwksUri must be a URL",
  ],
  [
    "HTML",
    () => odd.answer("/.well-known/openid-configuration", { body: "<html>", type: "text/html" }),
    "no JSON",
  ],
  ["nothing", () => odd.answer("/.well-known/openid-configuration", { status: 404, body: {} }), "status 404"],
])("X59 show of a provider that publishes %s says so in one line", async (_, answer, said) => {
  answer();
  const { exitCode, stdout, stderr } = await providers(["show", odd.issuer]);
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(said);
  expect(stderr.trimEnd()).not.toContain("\n");
});

test("X60 a secret is stored beside the others, replaced and removed; it is shown nowhere", async () => {
  const { exitCode, stdout } = await providers(["secret", "work", ...stage], { input: `${clientSecret}\n` });
  expect([exitCode, json(stdout)]).toEqual([
    0,
    {
      provider: "work",
      is: "stored",
      in: `The secret ${secretId} in eu-central-1`,
      providers: ["google", "work"],
    },
  ]);
  expect(stored()).toEqual({ google: { clientSecret }, work: { clientSecret } });
  await providers(["secret", "apple", "--team-id", "TEAM", "--key-id", "KEY", ...stage], { input: pem });
  expect(stored().apple).toEqual({ teamId: "TEAM", keyId: "KEY", privateKey: pem });
  expect((await providers(["secret", "work", "--remove", ...stage])).exitCode).toBe(0);
  expect(Object.keys(stored())).toEqual(["google", "apple"]);
  expect((await providers(["secret", "work", "--remove", ...stage])).stderr).toContain(
    "holds nothing for work",
  );
});

test("X60 the first secret of a stage makes the secret; npm start has a file that only its owner reads", async () => {
  const args = ["secret", "google", "--stage", "qa", "--region", "eu-central-1"];
  expect((await providers(args, { input: clientSecret })).exitCode).toBe(0);
  expect(json(secrets.find("serverless-auth-api-qa-provider-keys") ?? "")).toEqual({
    google: { clientSecret },
  });
  await providers(["secret", "google"], { input: clientSecret });
  const path = join(folder, "provider-keys.json");
  expect(json(await readFile(path, "utf8"))).toEqual({ google: { clientSecret } });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test.each<[string, string[], string, string]>([
  ["nothing", [], "", "Nothing came on standard input"],
  ["Apple's key without its ids", [], pem, "add --team-id <id> and --key-id <id>"],
  [
    "no key of Apple's",
    ["--team-id", "T", "--key-id", "K"],
    "x",
    "the privateKey of work must be the text of a .p8 file",
  ],
  ["blanks", [], "two words", "must be a JSON object such as"],
])("X60 %s is not stored", async (_, options, input, said) => {
  const { exitCode, stderr } = await providers(["secret", "work", ...options, ...stage], { input });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(said);
  expect(stored()).toEqual({ google: { clientSecret } });
});

test("X60 an id that the setting does not have, another operator at the same time, no rights: nothing is done, and it is said", async () => {
  const IDENTITY_PROVIDERS = JSON.stringify([
    { id: "google", clientId: "web", redirectUris: ["https://app.example.com/google"] },
  ]);
  const input = clientSecret;
  const misspelt = await providers(["secret", "gogle", ...stage], {
    input,
    settings: { IDENTITY_PROVIDERS },
  });
  expect(misspelt.stderr).toContain("IDENTITY_PROVIDERS has no provider gogle: google.");
  const theirs = JSON.stringify({ github: { clientSecret } });
  secrets.break(
    "UpdateSecretVersionStage provider-keys",
    precededBy(async () => secrets.put(secretId, theirs)),
  );
  const late = await providers(["secret", "work", ...stage], { input });
  expect([late.exitCode, late.stderr]).toEqual([1, expect.stringContaining("somebody else meanwhile")]);
  expect(stored()).toEqual(json(theirs));
  secrets.break("UpdateSecretVersionStage provider-keys", loseAnswer);
  expect((await providers(["secret", "work", ...stage], { input })).exitCode).toBe(0);
  secrets.break("GetSecretValue provider-keys", refuse("AccessDeniedException", "no rights"));
  const refused = await providers(["secret", "work", ...stage], { input });
  expect([refused.exitCode, refused.stderr]).toEqual([1, "AccessDeniedException: no rights\n"]);
});

const at = (id: string, more: object = {}) => ({
  ...{ id, clientId: "web", redirectUris: [`https://app.example.com/${id}`], ...odd.endpoints, ...more },
});
/** On this machine a provider may speak plain http, so it is stage dev. */
async function check(entries: object[], keys: object) {
  secrets.put("serverless-auth-api-dev-provider-keys", JSON.stringify(keys));
  const settings = { IDENTITY_PROVIDERS: JSON.stringify(entries) };
  const { exitCode, stdout } = await providers(["check", "--stage", "dev"], { settings });
  return { exitCode, told: stdout.trimEnd().split("\n").map(json) };
}
const key = { clientSecret };

test("X61 check asks each provider with a code that is none, and tells which know the client", async () => {
  publish(metadata({ authorization_response_iss_parameter_supported: true }));
  const { jwksUri: _, ...withoutKeys } = odd.endpoints;
  const page = "https://app.example.com/apple-page";
  const redirectUris = ["https://auth.example.com/auth/external/apple/form"];
  const github = { ...withoutKeys, tokenEndpoint: `${odd.issuer}/github`, apiUrl: `${odd.issuer}/api` };
  odd.answer("/github", { body: { error: "bad_verification_code" } });
  const { exitCode, told } = await check(
    [at("work"), { ...at("apple"), redirectUris, page }, { ...at("github"), ...github, jwksUri: undefined }],
    { work: key, github: key, apple: { teamId: "TEAM", keyId: "KEY", privateKey: pem } },
  );
  expect(told.map(({ provider, is }) => [provider, is])).toEqual([
    ["work", "ready"],
    ["apple", "ready"],
    ["github", "ready"],
  ]);
  expect(exitCode).toBe(0);
  const sent = odd.forms.flatMap((form) => form.get("client_secret") ?? []);
  const [signed = ""] = sent.filter((secret) => secret !== clientSecret);
  const options = {
    audience: odd.issuer,
    issuer: "TEAM",
    subject: "web",
    currentDate: new Date(clock.now * 1_000),
  };
  expect((await jwtVerify(signed, publicKey, options)).payload.exp).toBe(clock.now + 300);
});

test("X61 check tells which do not, and ends with 1", async () => {
  publish(metadata({ token_endpoint: `${odd.issuer}/elsewhere` }));
  odd.answer("/elsewhere", { status: 400, body: { error: "invalid_grant" } });
  const endpoint = (id: string, body: object, status = 400) => {
    odd.answer(`/${id}`, { status, body });
    return at(id, { tokenEndpoint: `${odd.issuer}/${id}` });
  };
  const entries = [
    endpoint("unknown", { error: "invalid_client" }, 401),
    endpoint("page", { error: "redirect_uri_mismatch" }, 200),
    endpoint("odd", { error: "tell\u001b-tale" }),
    endpoint("away", {}, 503),
    at("moved"),
    at("nameless", { tokenEndpoint: `${odd.issuer}/elsewhere`, sendsIss: true }),
    at("unstored"),
  ];
  const keys = Object.fromEntries(entries.map(({ id }) => [id, key]));
  const { exitCode, told } = await check(entries, { ...keys, unstored: undefined });
  expect(told).toEqual([
    { provider: "unknown", is: "refused", detail: expect.stringContaining("invalid_client") },
    { provider: "page", is: "refused", detail: expect.stringContaining("redirect_uri_mismatch") },
    { provider: "odd", is: "unclear", detail: "To a code that is none it says status 400, and no error." },
    { provider: "away", is: "away", detail: expect.stringContaining("status 503") },
    { provider: "moved", is: "refused", detail: expect.stringContaining('tokenEndpoint "http') },
    { provider: "nameless", is: "refused", detail: expect.stringContaining("sendsIss") },
    {
      provider: "unstored",
      is: "incomplete",
      detail: expect.stringContaining("providers -- secret unstored --stage dev"),
    },
  ]);
  expect(exitCode).toBe(1);
});

test("X61 check of a provider that publishes nothing of itself", async () => {
  const { exitCode, told } = await check([at("work")], { work: key });
  expect([exitCode, told[0].is]).toEqual([0, "ready"]);
});

test("X61 without the setting there is nothing to ask; a bad command line is said in one line, and help has all of it", async () => {
  const none = await providers(["check", ...stage]);
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("IDENTITY_PROVIDERS is not set")]);
  const misspelt = await providers(["chek"]);
  expect(misspelt).toEqual({
    ...{ exitCode: 2, stdout: "" },
    stderr: '"chek" is no command. Did you mean check?\nHelp: npm run providers -- --help\n',
  });
  const help = await providers(["--help"]);
  expect([help.exitCode, help.stdout]).toEqual([0, expect.stringMatching(/^Usage: npm run providers/)]);
});

test("check does not repeat what stands in PROVIDER_KEYS by mistake", async () => {
  const settings = { IDENTITY_PROVIDERS: "[]", PROVIDER_KEYS: clientSecret };
  const { exitCode, stdout, stderr } = await providers(["check"], { settings });
  expect([exitCode, stdout, stderr]).toEqual([1, "", "PROVIDER_KEYS holds no JSON object.\n"]);
});
