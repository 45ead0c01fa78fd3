import { afterAll, expect, test } from "@jest/globals";
import { createKey, publicKey } from "../../tests/support/keys.ts";
import { startSecretsManager } from "../../tests/support/secrets-manager.ts";
import type { OurJwk } from "./keys.ts";
import { openSigningKeys } from "./open-signing-keys.ts";

const secrets = await startSecretsManager();
const access = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
Object.assign(process.env, { ...access, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint });
afterAll(() => secrets.stop());

const now = 1_800_000_000;
const [here, kept] = [createKey("EdDSA"), createKey("EdDSA", { activeFrom: now })];
const published = {
  jwtSigningKeys: [here] as OurJwk[],
  jwtSigningKeysSecret: undefined,
  jwtPublicKeys: [here, kept].map(publicKey),
};
const clockAt = (time: number) => () => time;

test("keys come from the environment, if no secret is named; without either nothing can be signed", async () => {
  const keys = await openSigningKeys(published, clockAt(now));
  expect((await keys.get()).map(({ kid }) => kid)).toEqual([here.kid]);
  const none = await openSigningKeys({ ...published, jwtSigningKeys: undefined }, clockAt(now));
  await expect(none.ready()).rejects.toMatchObject({ code: "unavailable" });
  expect(secrets.names).toEqual([]);
});

test("keys come from the secret that is named, by our clock and our published keys", async () => {
  secrets.put("stage/keys", JSON.stringify({ keys: [kept, createKey("EdDSA")] }));
  const named = { ...published, jwtSigningKeysSecret: "stage/keys" };
  const keys = await openSigningKeys(named, clockAt(now));
  await keys.ready();
  expect((await keys.get()).map(({ kid }) => kid)).toEqual([kept.kid]);
  const early = await openSigningKeys(named, clockAt(now - 1));
  await expect(early.ready()).rejects.toMatchObject({ code: "unavailable" });
});
