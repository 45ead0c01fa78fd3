import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  createRefreshToken,
  createRotationSalt,
  createTokenId,
  deriveSuccessor,
  hashToken,
  isRefreshToken,
  isSameHash,
} from "./refresh-token.ts";

// Made with `openssl dgst -sha256 -binary` and `-mac HMAC -macopt hexkey:…`, not with this code.
// The token is the bytes 00…1f, the salt the bytes 20…3f, both base64url.
const token = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const salt = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

test("stored is SHA-256 over the token's ASCII text, its 16 first bytes are the jti; the successor is an HMAC keyed with the salt", () => {
  expect(hashToken(token)).toBe("6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A");
  expect(hashToken("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  expect(createTokenId(token)).toBe("6oZqdX5MOLq_qBJ8vppAnQ");
  expect(deriveSuccessor(token, salt)).toBe("Wkv_HcUFeHnPQIRxNUOg4hpNu0Jp2-ce9cmwFZ6RdK0");
});

test("R44 10,000 tokens and salts are distinct and canonical, every bit varies, and bytes are evenly spread", () => {
  const tokens = Array.from({ length: 10_000 }, createRefreshToken);
  const made = [...tokens, ...tokens.map(createRotationSalt)];
  expect(new Set(made).size).toBe(20_000);
  expect(made.every(isRefreshToken)).toBe(true);
  const seen = tokens.map((text) => Buffer.from(text, "base64url"));
  for (let bit = 0; bit < 256; bit++)
    expect(new Set(seen.map((bytes) => ((bytes[bit >> 3] as number) >> (bit & 7)) & 1)).size).toBe(2);
  const counts = new Array<number>(256).fill(0);
  for (const byte of Buffer.concat(seen)) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = 320_000 / 256;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 255 degrees of freedom: 255 ± 23. Beyond these bounds once in a hundred billion runs.
  expect(chiSquare).toBeGreaterThan(130);
  expect(chiSquare).toBeLessThan(450);
});

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

test("a text has the form of a refresh token if, and only if, it is the one encoding of its 32 bytes", () => {
  const alphabet = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"];
  const expectRight = (text: string) => {
    const bytes = Buffer.from(text, "base64url");
    const isCanonical = bytes.length === 32 && bytes.toString("base64url") === text;
    expect([text, isRefreshToken(text)]).toEqual([text, isCanonical]);
  };
  for (const last of alphabet) expectRight(`${token.slice(0, 42)}${last}`);
  fc.assert(fc.property(bytes32, (bytes) => isRefreshToken(bytes.toString("base64url"))));
  const unit = fc.constantFrom(...alphabet, "=", "+", "/", " ", "\n");
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit, minLength: 40, maxLength: 46 })), expectRight),
  );
});

test("nothing else is a refresh token, nor a list of one, nor what prints like one", () => {
  const others = [
    ...[token.slice(1), `${token}A`, `${token}=`, `${token}\n`, ` ${token.slice(1)}`, `+/${token.slice(2)}`],
    ...[`${token.slice(0, 42)}9`, "", 1, undefined, null, [token], { toString: () => token }],
  ];
  expect(others.filter(isRefreshToken)).toEqual([]);
});

test("successors are canonical, differ by token and by salt, and are the same for the same two", () => {
  fc.assert(
    fc.property(bytes32, bytes32, bytes32, (a, b, c) => {
      const [first = "", second = "", third = ""] = [a, b, c].map((bytes) => bytes.toString("base64url"));
      const successor = deriveSuccessor(first, second);
      expect(isRefreshToken(successor)).toBe(true);
      expect(deriveSuccessor(first, second)).toBe(successor);
      if (second !== third) expect(deriveSuccessor(first, third)).not.toBe(successor);
      if (first !== third) expect(deriveSuccessor(third, second)).not.toBe(successor);
    }),
  );
});

test("hashes are the same if every byte is", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => isSameHash(a, b) === (a === b) && isSameHash(a, a)),
  );
  expect([isSameHash("", ""), isSameHash("a", "a ")]).toEqual([true, false]);
});
