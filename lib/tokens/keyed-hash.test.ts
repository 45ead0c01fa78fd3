import { createHmac } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createHashKey } from "../../tests/support/keys.ts";
import { AppError } from "../errors.ts";
import { type HashJwk, importHashKeys } from "./hash-keys.ts";
import { createKeyedHash } from "./keyed-hash.ts";

const now = 1_800_000_000;
const [ended, old, current, next] = [now - 300, now - 100, now, now + 1].map((activeFrom) =>
  createHashKey({ activeFrom }),
) as [HashJwk, HashJwk, HashJwk, HashJwk];
ended.retireAfter = now;
old.retireAfter = now + 1;

/** HMAC-SHA-256, as anybody with the key could make it. */
const hashUnder = ({ k }: HashJwk, text: string) =>
  createHmac("sha256", Buffer.from(k, "base64url")).update(text).digest("base64url");

function keyedHashOf(keys: HashJwk[], ready = async () => {}) {
  const imported = importHashKeys(keys);
  return createKeyedHash({ hashKeys: { ready, get: async () => imported }, clock: () => now });
}

test("a hash is made with the newest active key, and found under every key that still verifies", async () => {
  const { hash, hashes } = keyedHashOf([ended, old, current, next]);
  expect(await hash("Ada")).toBe(hashUnder(current, "Ada"));
  expect(await hashes("Ada")).toEqual([old, current, next].map((key) => hashUnder(key, "Ada")));
});

test("a hash of an earlier time is made with the key that was active then, or where that leaked, with today's", async () => {
  const { hash } = keyedHashOf([old, current]);
  expect(await hash("Ada", now - 1)).toBe(hashUnder(old, "Ada"));
  expect(await keyedHashOf([current]).hash("Ada", now - 1)).toBe(hashUnder(current, "Ada"));
});

test("without an active key there is no hash", async () => {
  const cause = expect.objectContaining({ message: "no hash key is active" });
  await expect(keyedHashOf([next]).hash("Ada")).rejects.toMatchObject({ code: "unavailable", cause });
});

test("without keys there is no hash", async () => {
  const { hash, hashes } = keyedHashOf([current], async () => {
    throw new AppError("unavailable");
  });
  await expect(hash("Ada")).rejects.toMatchObject({ code: "unavailable" });
  await expect(hashes("Ada")).rejects.toMatchObject({ code: "unavailable" });
});
