import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import JSZip from "jszip";
import type { KeySet } from "../../build/keys/lifecycle.ts";
import SigningKeysPlugin from "../../build/keys/plugin.ts";
import { codeKeys, factorKeys, hashKeys, signingKeys } from "../../build/keys/sets.ts";
import { readConfig } from "../../lib/config.ts";
import { jwtPublicKeys } from "../../lib/settings.ts";
import { type OurJwk, toPublicJwk } from "../../lib/tokens/keys.ts";
import { clock } from "../support/clock.ts";
import { createHashKey, createKey, hashKeySettings, keySettings, publicKey } from "../support/keys.ts";
import { copyProject, removeFolder } from "../support/project.ts";
import { markedForDeletion, startSecretsManager } from "../support/secrets-manager.ts";
import { sls } from "../support/sls.ts";
import { startCloudFormation } from "./cloudformation.ts";

const secretId = "serverless-auth-api-qa-signing-keys";
const hashSecretId = "serverless-auth-api-qa-hash-keys";
const codeSecretId = "serverless-auth-api-qa-code-keys";
const factorSecretId = "serverless-auth-api-qa-factor-keys";
const region = "eu-central-1";
const cwd = copyProject();
const secrets = await startSecretsManager();
const aws = await startCloudFormation();
afterAll(async () => {
  await aws.stop();
  await secrets.stop();
  removeFolder(cwd);
});

const credentials = {
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test-secret-access-key",
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
  // Nobody listens there: a deployment breaks off when it first asks CloudFormation.
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
  AWS_MAX_ATTEMPTS: "1",
};
Object.assign(process.env, credentials);

beforeEach(() => secrets.mend());

describe("I04 a package", () => {
  const key = createKey("EdDSA");
  const hashKey = createHashKey();
  const own = { ...keySettings(createKey("EdDSA")), ...hashKeySettings(hashKey) };

  test("without public keys has a placeholder with which no function starts, and cannot be deployed", async () => {
    await expectNoPrivateKey("dev", { JWT_PUBLIC_KEYS: "" });
    const fault = "JWT_PUBLIC_KEYS must be a JSON Web Key set";
    for (const environment of await readEnvironments())
      expect(() => readConfig({ jwtPublicKeys }, environment)).toThrow(fault);
    const deploy = ["deploy", "--stage", "dev", "--package", ".serverless"];
    const deployment = sls(deploy, { cwd, env: credentials });
    await expect(deployment).rejects.toMatchObject({ stdout: expect.stringContaining(fault) });
  });

  test("has the public keys of the shell, if there are any", async () => {
    const JWT_PUBLIC_KEYS = JSON.stringify({ keys: [publicKey(key)] });
    await expectNoPrivateKey("prod", { JWT_PUBLIC_KEYS });
    for (const environment of await readEnvironments())
      expect(environment.JWT_PUBLIC_KEYS).toBe(JWT_PUBLIC_KEYS);
  });

  /** Packages without asking anybody, with private keys in the shell and in the project's folder, and looks for them. */
  async function expectNoPrivateKey(stage: string, env: Record<string, string>): Promise<void> {
    await writeFile(join(cwd, "keys.json"), JSON.stringify({ keys: [key] }));
    const shell = { ...credentials, ...own, PRIVATE_KEY: key.d ?? "", ...env };
    const said = await sls(["package", "--stage", stage], { cwd, env: shell });
    expect(secrets.names).toEqual([]);

    const texts = Object.entries({ said, ...(await readPackage()) });
    expect(texts.map(([name]) => name)).toContain("login.zip/functions/login/password.mjs");
    const secret = [key.d ?? "", JSON.parse(own.JWT_SIGNING_KEYS).keys[0].d, hashKey.k];
    const leaks = texts.filter(([, text]) => secret.some((member) => text.includes(member)));
    expect(leaks.map(([name]) => name)).toEqual([]);

    const environments = await readEnvironments();
    const names = environments.flatMap((environment) => Object.keys(environment));
    expect(names.filter((name) => /^(JWT_SIGNING|HASH|CODE|FACTOR)_KEYS$/.test(name))).toEqual([]);
  }
});

describe("a deployment", () => {
  test("makes the key set of a new stage, publishes what is public of it, and notes that when it is done", async () => {
    const env = { ...credentials, ...keySettings(createKey("EdDSA")) };
    const broken = sls(["deploy", "--stage", "qa"], { cwd, env });
    // Nobody has a token yet: now is the time to choose another kind of key.
    const said = expect.stringContaining("npm run keys -- rotate --emergency --alg RS256");
    const stdout = expect.stringContaining("ECONNREFUSED");
    await expect(broken).rejects.toMatchObject({ stdout, stderr: said });
    const made = ["GetSecretValue", "CreateSecret", "GetSecretValue"];
    for (const set of ["signing-keys", "hash-keys", "factor-keys"])
      expect(secrets.names.filter((name) => name.endsWith(set))).toEqual(
        made.map((name) => `${name} ${set}`),
      );
    const hashKeySet = secrets.find(hashSecretId) ?? "";
    expect(hashKeys.parse(hashKeySet)).toEqual([expect.objectContaining({ activeFrom: expect.any(Number) })]);
    expect(factorKeys.parse(secrets.find(factorSecretId) ?? "")).toHaveLength(1);
    const { keys } = readStored();
    expect(keys).toEqual([expect.objectContaining({ alg: "EdDSA", activeFrom: expect.any(Number) })]);
    expect(keys[0]?.publishedAt).toBeUndefined();

    await sls(["deploy", "--stage", "qa"], { cwd, env: { ...env, AWS_ENDPOINT_URL: aws.endpoint } });
    expect(aws.actions).toContain("ExecuteChangeSet");
    expect(readStored()).toEqual({
      keys: [{ ...keys[0], publishedAt: expect.any(Number), refreshTokenTtlSeconds: 86_400 }],
    });

    expect(secrets.find(hashSecretId)).toBe(hashKeySet);
    const environments = await readEnvironments();
    expect(environments.length).toBeGreaterThan(8);
    for (const { JWT_PUBLIC_KEYS } of environments)
      expect(JSON.parse(JWT_PUBLIC_KEYS ?? "")).toEqual({ keys: keys.map(toPublicJwk) });
  });

  test("with mail makes the code keys, too", async () => {
    const mail = { MAIL_FROM: "auth@example.com", MAIL_LINK: "https://app.example.com/" };
    const env = { ...credentials, ...mail, ALLOWED_ORIGINS: "https://app.example.com" };
    expect(secrets.find(codeSecretId)).toBeUndefined();
    await expect(sls(["deploy", "--stage", "qa"], { cwd, env })).rejects.toMatchObject({
      stdout: expect.stringContaining("ECONNREFUSED"),
    });
    expect(codeKeys.parse(secrets.find(codeSecretId) ?? "")).toHaveLength(1);
  });

  test("with a secret that is scheduled for deletion: what to do is named, without a stack", async () => {
    secrets.break("GetSecretValue hash-keys", markedForDeletion, { times: 2 });
    const said = await sls(["deploy", "--stage", "qa"], { cwd, env: credentials }).catch(
      (error) => error.stderr,
    );
    const target = `--secret-id ${hashSecretId} --region ${region}`;
    for (const text of [
      "scheduled for deletion",
      `restore-secret ${target}`,
      `delete-secret ${target} --force-delete`,
    ])
      expect(said).toContain(text);
    expect(said).not.toMatch(/^\s+at /m);
  });

  test("without credentials is refused in one line, as `npm run keys` does", async () => {
    const nobody = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
    const env = { ...nobody, AWS_EC2_METADATA_DISABLED: "true", AWS_REGION: region };
    for (const command of [["deploy"], ["deploy", "function", "--function", "movies"]]) {
      const { code, stdout, stderr } = await sls([...command, "--stage", "qa"], { cwd, env }).catch((e) => e);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        /^The secret serverless-auth-api-qa-(signing|hash|factor)-keys in eu-central-1: CredentialsProviderError: .+\n$/,
      );
    }
  });

  test("notes the settings of the template that is deployed, once", async () => {
    const key = createKey("EdDSA");
    secrets.put(secretId, JSON.stringify({ keys: [key] }));
    const variables = {
      STAGE: "qa",
      JWT_PUBLIC_KEYS: JSON.stringify({ keys: [publicKey(key)] }),
      REFRESH_TOKEN_TTL_SECONDS: "7200",
    };
    await deployed(variables);
    const noted = { kid: key.kid, publishedAt: clock.now, refreshTokenTtlSeconds: 7200 };
    expect(readStored().keys).toEqual([expect.objectContaining(noted)]);
    secrets.mend();
    await deployed(variables);
    expect(secrets.names).toEqual(["GetSecretValue signing-keys"]);
  });
});

/** What the plugin does at the end of a deployment of functions with this environment. */
async function deployed(variables: Record<string, string>): Promise<void> {
  const compiledCloudFormationTemplate = {
    Resources: { Table: {}, MoviesLambdaFunction: { Properties: { Environment: { Variables: variables } } } },
  };
  const service = {
    custom: { signingKeys: { secret: secretId } },
    provider: { region, compiledCloudFormationTemplate },
  };
  await new SigningKeysPlugin({ service }).hooks["after:deploy:deploy"]?.();
}

function readStored(): KeySet<OurJwk> {
  return { keys: signingKeys.parse(secrets.find(secretId) ?? "") };
}

/** Every text that packaging made: templates, state, and the files in the zips. */
async function readPackage(): Promise<Record<string, string>> {
  const folder = join(cwd, ".serverless");
  const texts: Record<string, string> = {};
  for (const file of await readdir(folder)) {
    const content = await readFile(join(folder, file));
    texts[file] = content.toString("latin1");
    const zipped = file.endsWith(".zip") ? (await JSZip.loadAsync(content)).files : {};
    for (const [name, entry] of Object.entries(zipped))
      texts[`${file}/${name}`] = await entry.async("string");
  }
  return texts;
}

/** The environment of each function in the packaged template. */
async function readEnvironments(): Promise<Record<string, string | undefined>[]> {
  const file = join(cwd, ".serverless/cloudformation-template-update-stack.json");
  const { Resources } = JSON.parse(await readFile(file, "utf8"));
  return Object.keys(Resources).flatMap((name) => Resources[name].Properties?.Environment?.Variables ?? []);
}
