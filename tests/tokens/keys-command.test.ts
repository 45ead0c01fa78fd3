import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { openKeyFile } from "../../build/keys/file.ts";
import { generateKey } from "../../build/keys/generate.ts";
import { createKeySet, type KeySet, markPublished, rotate } from "../../build/keys/lifecycle.ts";
import { parseOptions } from "../../build/keys/options.ts";
import { openKeySecret } from "../../build/keys/secret.ts";
import { codeKeys, factorKeys, hashKeys, signingKeys } from "../../build/keys/sets.ts";
import {
  findOrCreateKeySet,
  KeySetMovedError,
  type KeyStore,
  notePublished,
  type StoredKeySet,
} from "../../build/keys/store.ts";
import type { KeyLife } from "../../lib/tokens/key-set.ts";
import type { OurJwk } from "../../lib/tokens/keys.ts";
import { clock } from "../support/clock.ts";
import { hold, loseAnswer, loseRequest, precededBy, throttle } from "../support/faults.ts";
import { keepSecrets } from "../support/log.ts";
import { type Run, run } from "../support/run.ts";
import { markedForDeletion, refuse, startSecretsManager } from "../support/secrets-manager.ts";

// Each run of the command is a process of its own: beside other work that takes long, and no time is measured here.
jest.setTimeout(600_000);

const secretId = "serverless-auth-api-prod-signing-keys";
const region = "eu-central-1";
const secrets = await startSecretsManager();
const folder = await mkdtemp(join(tmpdir(), "keys-"));
afterAll(async () => {
  await secrets.stop();
  await rm(folder, { recursive: true });
});

const credentials = {
  ...{ AWS_REGION: region, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test-secret-access-key" },
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
};
const local = { ...credentials, LOCAL_DIR: folder };
Object.assign(process.env, credentials);
keepSecrets(credentials.AWS_SECRET_ACCESS_KEY);

const stores: Record<"file" | "secret", { store: KeyStore<OurJwk>; stage: string[]; publish: string }> = {
  file: { store: openKeyFile(folder, signingKeys), stage: [], publish: "npm start" },
  secret: {
    store: openKeySecret({ secretId, region }, signingKeys),
    stage: ["--stage", "prod"],
    publish: "npx sls deploy --stage prod",
  },
};
const hashSecretId = "serverless-auth-api-prod-hash-keys";
const hashSecret = openKeySecret({ secretId: hashSecretId, region }, hashKeys);
const hashFile = openKeyFile(folder, hashKeys);
const factorStores = [
  openKeySecret({ secretId: "serverless-auth-api-prod-factor-keys", region }, factorKeys),
  openKeyFile(folder, factorKeys),
];
const kinds = Object.keys(stores) as (keyof typeof stores)[];
let initial: KeySet<OurJwk>;

beforeEach(async () => {
  const now = clock.now - 86_400;
  const created = createKeySet(await generateKey(), now);
  secrets.mend();
  initial = markPublished(
    created,
    { kids: kidsOf(created), refreshTokenTtlSeconds: 86_400, now },
    signingKeys,
  );
  secrets.put(secretId, JSON.stringify(initial));
  await rm(join(folder, "keys.json"), { force: true });
  await stores.file.store.create(initial);
  for (const store of [hashFile, hashSecret, ...factorStores]) await findOrCreateKeySet(store, clock.now);
  secrets.mend();
});

describe.each(kinds)("in a %s", (kind) => {
  const { store, stage, publish } = stores[kind];
  const keys = (command: string, ...options: string[]) => runKeys(command, ...stage, ...options);

  test("a rotation goes from step to step, and none is taken too early", async () => {
    const [{ kid: old = "" } = {}] = initial.keys;
    await expectRun(keys("status"), 0, old, "active", `npm run keys -- ${["rotate", ...stage].join(" ")}`);
    await expectRun(keys("promote"), 1, "Rotate first");
    await expectRun(keys("rotate"), 0, "Added", "unpublished", publish, "promote");
    const next = (await readSet(store)).keys[1]?.kid ?? "";
    await expectRun(keys("rotate"), 0, next, "nothing changed");
    await expectRun(keys("promote"), 1, next, "not published", publish);

    await publishAll(store);
    await expectRun(keys("status"), 0, "published", "Next: npm run keys -- promote");
    await expectRun(keys("promote"), 0, "Promoted", next);
    const activeFrom = (await readSet(store)).keys[1]?.activeFrom ?? 0;
    expect(activeFrom).toBeGreaterThanOrEqual(clock.now + 600);
    clock.advance(activeFrom + 86_400 + 3600 - 1 - clock.now);
    await expectRun(keys("retire"), 1, old, "may still have something to verify");
    expect(await kidsIn(store)).toEqual([old, next]);
    clock.advance(1);
    await expectRun(keys("status"), 0, "retirable", "active");
    await expectRun(keys("retire"), 0, "Retired", old, publish);
    expect(await kidsIn(store)).toEqual([next]);
    await expectRun(keys("retire"), 0, "nothing changed");
  });

  test("an emergency leaves only a new key and says what that does", async () => {
    await keys("rotate");
    const next = `Next: SESSIONS_NOT_BEFORE=${clock.now} ${publish}`;
    const said = ["every access token", "logs in again", "503", "active, not published", next];
    await expectRun(keys("rotate", "--emergency", "--alg", "RS256"), 0, ...said);
    const set = await readSet(store);
    expect(set.keys).toEqual([expect.objectContaining({ alg: "RS256", activeFrom: clock.now })]);
    expect(set.keys[0]?.kid).not.toBe(initial.keys[0]?.kid);

    await expectRun(keys("status"), 0, "active, not published", next);
    await keys("rotate", "--alg", "RS256");
    await expectRun(keys("status"), 0, "unpublished", next);
    await publishAll(store);
    await expectRun(keys("status"), 0, "Next: npm run keys -- promote");
  });

  test("the first key of all is not published before a first deployment has finished", async () => {
    const seen = (await store.find()) as StoredKeySet<OurJwk>;
    await store.replace(seen, createKeySet(await generateKey(), clock.now));
    await expectRun(keys("status"), 0, "active, not published", `Next: ${publish}`);
    await publishAll(store);
    await expectRun(keys("status"), 0, "Nothing to do");
  });

  test("the set of whoever is faster is kept", async () => {
    const seen = (await store.find()) as StoredKeySet<OurJwk>;
    const [faster, slower] = [await generateKey(), await generateKey()].map(
      (key) => rotate(seen.set, key).set,
    );
    await store.replace(seen, faster as KeySet<OurJwk>);
    await expect(store.replace(seen, slower as KeySet<OurJwk>)).rejects.toThrow(KeySetMovedError);
    await store.create(initial);
    expect(await readSet(store)).toEqual(faster);
  });

  test("of two at once one adds the key, and the other finds it there or is told", async () => {
    const runs = await Promise.all([keys("rotate"), keys("rotate")]);
    expect((await readSet(store)).keys).toHaveLength(2);
    for (const { exitCode, stderr } of runs) if (exitCode !== 0) expect(stderr).toContain("somebody else");
    expect(runs.map(({ exitCode }) => exitCode)).toContain(0);
  });
});

test("hash keys go the same way, without a deployment: nobody else verifies with them", async () => {
  const keys = (command: string, ...options: string[]) =>
    runKeys(command, "--set", "hash", "--stage", "prod", ...options);
  const before = await readSet(hashSecret);
  await expectRun(keys("status"), 0, "active", "npm run keys -- rotate --set hash --stage prod");
  await expectRun(keys("rotate"), 0, "Added", "Next: npm run keys -- promote --set hash --stage prod");
  await expectRun(
    keys("promote"),
    0,
    "Promoted",
    "Next, from",
    "npm run keys -- retire --set hash --stage prod",
  );
  const [old, next] = (await readSet(hashSecret)).keys;
  expect(old).toMatchObject({ kid: before.keys[0]?.kid, retireAfter: (next?.activeFrom ?? 0) + 90 * 86_400 });
  clock.advance(90 * 86_400);
  await expectRun(keys("retire"), 1, "may still have something to verify");
  clock.advance(660);
  const { stdout } = await keys("retire");
  expect(stdout).toContain("Retired");
  expect(stdout).not.toContain("deploy");
  expect((await readSet(hashSecret)).keys).toEqual([next]);
  await expectRun(keys("rotate", "--emergency"), 0, "five minutes", "Nobody is logged out", "Nothing to do");
  expect((await readSet(hashSecret)).keys).toEqual([expect.objectContaining({ isEmergency: true })]);
  expect(await readSet(stores.secret.store)).toEqual(initial);
});

test.each([[[]], [["--stage", "prod"]]])("status shows all sets of keys: %j", async (stage) => {
  const hash = await readSet(stage.length > 0 ? hashSecret : hashFile);
  const kids = [initial.keys[0]?.kid, hash.keys[0]?.kid] as string[];
  await expectRun(runKeys("status", ...stage), 0, ...kids, "hash-keys", "There is none without MAIL_FROM.");
});

test("code keys are a set of their own, made with mail, and verify for 8 days", async () => {
  const keys = (command: string) => runKeys(command, "--set", "code", "--stage", "prod");
  await expectRun(keys("status"), 1, "does not exist yet", "set MAIL_FROM, then npx sls deploy --stage prod");
  const store = openKeySecret({ secretId: "serverless-auth-api-prod-code-keys", region }, codeKeys);
  await findOrCreateKeySet(store, clock.now);
  await expectRun(runKeys("status", "--stage", "prod"), 0, (await readSet(store)).keys[0]?.kid ?? "");
  await expectRun(keys("rotate"), 0, "Next: npm run keys -- promote --set code --stage prod");
  await expectRun(keys("promote"), 0, "Promoted");
  const [old, next] = (await readSet(store)).keys;
  expect(old).toMatchObject({ retireAfter: (next?.activeFrom ?? 0) + 8 * 86_400 });
});

describe("in a secret", () => {
  const rotateProd = (...options: string[]) => runKeys("rotate", "--stage", "prod", ...options);

  test("a new version becomes current only if the one that was read still is", async () => {
    const theirs = JSON.stringify(rotate(initial, await generateKey("ES256")).set);
    const moved = precededBy(async () => secrets.put(secretId, theirs));
    secrets.break("UpdateSecretVersionStage", moved);
    await expectRun(rotateProd(), 1, "changed by somebody else", "nothing of theirs is lost", "status");
    expect(secrets.find(secretId)).toBe(theirs);
  });

  test("a process that dies before it has changed anything can be run again", async () => {
    for (const operation of ["PutSecretValue", "UpdateSecretVersionStage"]) {
      const held = hold("request");
      const death = new AbortController();
      secrets.break(operation, held.fault);
      const dying = run("build/keys/command.ts", ["rotate", "--stage", "prod"], local, death.signal);
      await held.arrived;
      death.abort();
      await dying;
      expect(secrets.find(secretId)).toBe(JSON.stringify(initial));
    }
    await expectRun(rotateProd(), 0, "Added");
    expect(await kidsIn(stores.secret.store)).toHaveLength(2);
  });

  test("a throttled, broken or unanswered request is repeated, and makes no change a failure; the region is named", async () => {
    secrets.break("GetSecretValue", throttle);
    secrets.break("PutSecretValue", loseRequest);
    for (const operation of ["PutSecretValue", "UpdateSecretVersionStage"])
      secrets.break(operation, loseAnswer);
    const said = ["Added", "npx sls deploy --stage prod --region eu-west-1"];
    await expectRun(rotateProd("--region", "eu-west-1"), 0, ...said);
    expect(await kidsIn(stores.secret.store)).toHaveLength(2);
  });

  test.each([
    ["access is denied", refuse("AccessDeniedException"), "AccessDeniedException"],
    ["the store is away", loseRequest, "secret"],
  ])("%s: nothing is written, and the message says so", async (_, fault, said) => {
    secrets.break("", fault, { times: Number.POSITIVE_INFINITY });
    await expectRun(rotateProd(), 1, secretId, said);
    expect(secrets.find(secretId)).toBe(JSON.stringify(initial));
  });

  test("that is scheduled for deletion: what to do is named, for each set", async () => {
    for (const [set, id] of Object.entries({ signing: secretId, hash: hashSecretId })) {
      secrets.break("GetSecretValue", markedForDeletion);
      const target = `--secret-id ${id} --region ${region}`;
      const said = [`restore-secret ${target}`, `delete-secret ${target} --force-delete-without-recovery`];
      await expectRun(
        runKeys("rotate", "--set", set, "--stage", "prod"),
        1,
        "scheduled for deletion",
        ...said,
      );
    }
  });

  test("what is no key set is named, not quoted", async () => {
    secrets.put(secretId, JSON.stringify({ keys: [{ ...initial.keys[0], alg: "HS256" }] }));
    await expectRun(runKeys("status", "--stage", "prod"), 1, secretId, "alg must be one of");
  });
});

test("the file is for its owner only, as is the folder that is made for it; nothing is left beside it", async () => {
  await openKeyFile(join(folder, "new/.local"), signingKeys).create(initial);
  expect((await stat(join(folder, "new/.local"))).mode & 0o777).toBe(0o700);
  await rm(join(folder, "new"), { recursive: true });
  await runKeys("rotate");
  expect((await stat(join(folder, "keys.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["factor-keys.json", "hash-keys.json", "keys.json"]);
});

test("the file that is not there yet is made by `npm start`, the secret of a stage, `local` too, by a deployment", async () => {
  const none = { ...credentials, LOCAL_DIR: join(folder, "none") };
  const { stderr } = await run("build/keys/command.ts", ["status"], none);
  expect(stderr).toMatch(/does not exist yet. Next: npm start\n$/);
  const said = ["local-signing-keys in", "does not exist yet", "npx sls deploy --stage local"];
  await expectRun(runKeys("status", "--stage", "local"), 1, ...said);
});

test("--help prints the usage, bad usage is explained, and nothing is done", async () => {
  await expectRun(runKeys("rotate", "--help"), 0, "Usage: npm run keys");
  expect(await readSet(stores.file.store)).toEqual(initial);
  const said = ["belongs to rotate", "Help: npm run keys -- --help"];
  await expectRun(runKeys("retire", "--emergency", "--stage", "prod"), 2, ...said);
  expect(secrets.names).toEqual([]);
});

test.each([
  ["", "Name a command: status, rotate, promote, retire."],
  ["rotate retire", "Name one command: status, rotate, promote, retire."],
  ["turn", '"turn" is no command. The commands: status, rotate, promote, retire.'],
  ["promot", '"promot" is no command. Did you mean promote?'],
  ["rotate --alg HS256", "--alg"],
  ["rotate --alg ES256 --set hash", "--alg belongs to rotate, and to signing keys"],
  ["rotate --set none", "--set must be one of signing, hash"],
  ["rotate --stage ../x", "--stage"],
  ["rotate --stage", "--stage"],
  ["retire --emergency", "belongs to rotate"],
  ["status --verbose", "--verbose"],
])("bad usage: %s", (line, message) => {
  expect(() => parseOptions(line.split(" ").filter(Boolean))).toThrow(message);
});

function runKeys(...args: string[]): Promise<Run> {
  return run("build/keys/command.ts", args, local);
}

/** Asserts how a command ended and what it said; refusals go to stderr, and nothing private anywhere. */
async function expectRun(running: Promise<Run>, exitCode: number, ...texts: string[]): Promise<void> {
  const { stdout, stderr, ...ended } = await running;
  const [said, silent] = exitCode === 0 ? [stdout, stderr] : [stderr, stdout];
  expect({ ...ended, silent }).toEqual({ exitCode, silent: "" });
  for (const text of texts) expect(said).toContain(text);
  expect(said).not.toMatch(/^\s+at /m);
  const files = ["keys.json", "hash-keys.json", "factor-keys.json"].map((file) =>
    readFile(join(folder, file), "utf8"),
  );
  const stored = [secrets.find(secretId), secrets.find(hashSecretId), ...(await Promise.all(files))].join();
  for (const [, d = ""] of stored.matchAll(/"[dk]":"([\w-]{20})/g)) expect(said).not.toContain(d);
}

async function readSet<Key extends KeyLife>(store: KeyStore<Key>): Promise<KeySet<Key>> {
  return (await store.find())?.set ?? { keys: [] };
}

async function kidsIn(store: KeyStore): Promise<string[]> {
  return kidsOf(await readSet(store));
}

function kidsOf({ keys }: KeySet): string[] {
  return keys.map(({ kid }) => kid);
}

async function publishAll(store: KeyStore): Promise<void> {
  const kids = await kidsIn(store);
  await notePublished(store, { kids, refreshTokenTtlSeconds: 86_400, now: clock.now });
}
