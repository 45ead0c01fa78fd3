import { afterAll, expect, test } from "@jest/globals";
import { createKey, publicKey, type TestKey } from "../../tests/support/keys.ts";
import { startSecretsManager } from "../../tests/support/secrets-manager.ts";
import type { OurJwk } from "./keys.ts";
import { openSigningKeys } from "./open-signing-keys.ts";

const secrets = await startSecretsManager();
const access = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
Object.assign(process.env, { ...access, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint });
afterAll(() => secrets.stop());

const now = 1_800_000_000;
const clock = () => now;
const [here, kept, unknown] = [0, now, now].map((activeFrom) => createKey("EdDSA", { activeFrom })) as [
  TestKey,
  TestKey,
  TestKey,
];
const published = {
  jwtSigningKeys: [here] as OurJwk[],
  jwtSigningKeysSecret: undefined,
  jwtPublicKeys: [here, kept].map(publicKey),
};
const textOf = (...keys: object[]) => JSON.stringify({ keys });
const open = (text: string) => {
  secrets.put("signing-keys", text);
  return openSigningKeys({ ...published, jwtSigningKeysSecret: "signing-keys" }, clock);
};

test("keys come from the environment, if no secret is named", async () => {
  const keys = await openSigningKeys(published, clock);
  expect((await keys.get()).map(({ kid }) => kid)).toEqual([here.kid]);
  expect(secrets.names).toEqual([]);
});

test("neither keys nor a secret: nothing can be signed", async () => {
  const keys = await openSigningKeys({ ...published, jwtSigningKeys: undefined }, clock);
  await expect(keys.ready()).rejects.toMatchObject({ code: "unavailable" });
});

test("K03 keys come from the secret that is named, but for those that are not published", async () => {
  const keys = await open(textOf(kept, unknown));
  await keys.ready();
  expect((await keys.get()).map(({ kid }) => kid)).toEqual([kept.kid]);
});

test.each([
  ["nothing", ""],
  ["no key set", "{}"],
  ["public keys", textOf({ ...publicKey(here), activeFrom: 0 })],
  ["hash keys", textOf({ kty: "oct", k: "A".repeat(43), kid: "a", alg: "HS256", activeFrom: 0 })],
  ["a damaged key", textOf({ ...here, x: kept.x, d: "AA" })],
  ["no key that is active yet", textOf({ ...here, activeFrom: now + 1 })],
  ["no key that is published", textOf(unknown)],
])("a secret with %s holds no keys to sign with", async (_, text) => {
  const keys = await open(text);
  await expect(keys.ready()).rejects.toMatchObject({ code: "unavailable", cause: expect.any(Error) });
  await expect(keys.get()).rejects.toMatchObject({ code: "unavailable" });
});
