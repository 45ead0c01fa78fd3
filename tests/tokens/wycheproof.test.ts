import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { compactVerify, type JWK } from "jose";
import { selectKey } from "../../lib/tokens/compact-jws.ts";
import {
  importVerificationKeys,
  type OurJwk,
  parsePublicKeySet,
  type VerificationKey,
} from "../../lib/tokens/keys.ts";

/** The folder that holds the vectors of github.com/C2SP/wycheproof (`testvectors_v1`); they are not kept here. */
const { WYCHEPROOF_DIR: folder } = process.env;

const advice = "Get them from github.com/C2SP/wycheproof and set WYCHEPROOF_DIR.";
if (!folder) console.warn(`The Wycheproof vectors are skipped. ${advice}`);

/** Vectors that are valid by the RFCs and that we refuse on purpose. */
const refusedOnPurpose: Record<string, Record<string, number[]>> = {
  json_web_signature: {
    "HS256: whoever verifies could sign": [1, 348, 352, 357, 358, 359, 376, 377],
    "HS256, and a character that does not belong into base64url": [372, 373],
    "RS384, RS512, PS256, PS384, PS512: three algorithms are enough": [
      264, 265, 266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 287, 288, 320, 321, 322, 323, 325, 326, 327,
      328,
    ],
    "no payload: a token has claims": [259],
    "a kid with characters that our keys never have (@)": [345, 349],
    "the same, and an algorithm that we do not take": [346, 347, 350, 351],
  },
  json_web_key: { "HS256, HS384, HS512: whoever verifies could sign": [2, 13, 14, 15] },
};

type Vector = { tcId: number; result: "valid" | "invalid" | "acceptable" };
type KeySource = JWK | { keys: JWK[] };

(folder ? describe : describe.skip)("Wycheproof", () => {
  test.each([
    ["json_web_signature", 270],
    ["json_web_key", 1],
  ])("J56 %s: every verdict, through our keys and our check of the form", async (name, withGoodKey) => {
    type Group = { public?: KeySource; private: KeySource; tests: (Vector & { jws: string })[] };
    const differing: number[] = [];
    let looked = 0;
    for (const { tests, ...group } of read<Group>(name)) {
      const keys = await importKeys(group.public ?? group.private).catch(() => undefined);
      for (const { tcId, jws, result } of tests) {
        if (keys) looked++;
        const isValid = keys !== undefined && (await isSigned(jws, keys));
        if (isValid !== (result === "valid")) differing.push(tcId);
      }
    }
    const expected = Object.values(refusedOnPurpose[name] ?? {}).flat();
    expect(differing).toEqual(expected.sort((a, b) => a - b));
    expect(looked).toBe(withGoodKey); // else a refused key would stand for every refused signature
  });

  test.each([
    ["ed25519", { valid: 88, invalid: 63 }],
    ["ecdsa_secp256r1_sha256_p1363", { valid: 173, invalid: 89 }],
  ])("J57 %s: every verdict of the signature alone, with our imported keys", async (name, expected) => {
    const groups = read<{ publicKey: Point; tests: (Vector & { msg: string; sig: string })[] }>(name);
    const counted = { valid: 0, invalid: 0 };
    for (const { publicKey, tests } of groups) {
      const keys = await importKeys(toJwk(publicKey));
      const { alg, key } = keys.get("key") as VerificationKey;
      for (const { tcId, msg, sig, result } of tests) {
        const algorithm = alg === "EdDSA" ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-256" };
        const [signature, message] = [Buffer.from(sig, "hex"), Buffer.from(msg, "hex")];
        const isValid = await crypto.subtle.verify(algorithm, key, signature, message);
        const verdict = isValid ? "valid" : "invalid";
        expect({ tcId, verdict }).toEqual({ tcId, verdict: result });
        counted[verdict]++;
      }
    }
    expect(counted).toEqual(expected);
  });
});

async function importKeys(source: KeySource) {
  const set = "keys" in source ? source : { keys: [source] };
  return importVerificationKeys(parsePublicKeySet(JSON.stringify(set)));
}

/** The signature's part of lib/tokens/verify-access-token.ts: these vectors carry no claims of ours. */
async function isSigned(jws: string, keys: Awaited<ReturnType<typeof importKeys>>): Promise<boolean> {
  try {
    const { alg, key } = selectKey(jws, keys);
    await compactVerify(jws, key, { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
}

type Point = Partial<Record<"pk" | "wx" | "wy", string>>;

function toJwk({ pk, wx, wy }: Point): OurJwk {
  const member = (hex = "") => Buffer.from(hex.padStart(64, "0").slice(-64), "hex").toString("base64url");
  return pk === undefined
    ? { kty: "EC", crv: "P-256", x: member(wx), y: member(wy), kid: "key", alg: "ES256" }
    : { kty: "OKP", crv: "Ed25519", x: member(pk), kid: "key", alg: "EdDSA" };
}

function read<Group>(name: string): Group[] {
  return JSON.parse(readFileSync(join(folder ?? "", `${name}_test.json`), "utf8")).testGroups;
}
