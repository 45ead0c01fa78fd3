import { createHmac, hkdfSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createKey, type TestKey } from "../../tests/support/keys.ts";
import { AppError } from "../errors.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { importSigningKeys, type OurJwk } from "./keys.ts";

const now = 1_800_000_000;
const [old, current, next] = [now - 100, now, now + 1].map((activeFrom) =>
  createKey("EdDSA", { activeFrom }),
) as [TestKey, TestKey, TestKey];

/** HMAC-SHA-256 under a secret derived from the private key (RFC 5869), as anybody with the key could make it. */
function hashUnder({ d = "" }: TestKey, text: string): string {
  const secret = hkdfSync("sha256", Buffer.from(d, "base64url"), "", "keyed hashes", 32);
  return createHmac("sha256", Buffer.from(secret)).update(text).digest("base64url");
}

async function keyedHashOf(keys: TestKey[], ready = async () => {}) {
  const imported = await importSigningKeys(keys as OurJwk[]);
  return createKeyedHash({ signingKeys: { ready, get: async () => imported }, clock: () => now });
}

test("a hash is made with the key that signs now, and found under every key", async () => {
  const { hash, hashes } = await keyedHashOf([old, current, next]);
  expect(await hash("Ada")).toBe(hashUnder(current, "Ada"));
  expect(await hashes("Ada")).toEqual([old, current, next].map((key) => hashUnder(key, "Ada")));
});

test("without keys, or one that signs now, there is no hash", async () => {
  const cause = expect.objectContaining({ message: expect.stringContaining("no signing key") });
  await expect((await keyedHashOf([next])).hash("Ada")).rejects.toMatchObject({ code: "unavailable", cause });
  const { hash, hashes } = await keyedHashOf([current], async () => {
    throw new AppError("unavailable");
  });
  for (const call of [hash, hashes]) await expect(call("Ada")).rejects.toMatchObject({ code: "unavailable" });
});
