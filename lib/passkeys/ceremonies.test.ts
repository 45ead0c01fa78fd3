import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { decodeCBOR, encodeCBOR } from "@levischuck/tiny-cbor";
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { createHashKey } from "../../tests/support/keys.ts";
import { createPasskey, flags, type Quirks } from "../../tests/support/passkey.ts";
import { importHashKeys } from "../tokens/hash-keys.ts";
import { createKeyedHash } from "../tokens/keyed-hash.ts";
import { createParseAssertion, isSignedBy } from "./assertion.ts";
import { parseAttestedCredential } from "./attested-credential.ts";
import { parseAuthenticatorData } from "./authenticator-data.ts";
import { type ChallengePurpose, createPasskeyChallenges } from "./challenge.ts";
import { PasskeyError } from "./passkey-error.ts";
import { createParseRegistration } from "./registration.ts";

const userId = randomUUID();
const origin = "http://localhost:3000";
let nowMs = 1_800_000_000_500;
const clock = () => Math.floor(nowMs / 1000);
const [active, retired] = [
  createHashKey({ activeFrom: 0 }),
  { ...createHashKey({ activeFrom: 0 }), retireAfter: clock() },
];
const challengesOf = (key: typeof active) =>
  createPasskeyChallenges(
    createKeyedHash({
      hashKeys: { ready: async () => {}, get: async () => importHashKeys([key]) },
      clock,
    }),
    () => nowMs,
  );
const challenges = challengesOf(active);
const relyingParty = { rpId: "localhost", origins: [origin], challenges };
const parseRegistration = createParseRegistration(relyingParty);
const parseAssertion = createParseAssertion(relyingParty);

interface Vector {
  name: string;
  registration: Record<"challenge" | "credential_id" | "clientDataJSON" | "attestationObject", string>;
  authentication: Record<"challenge" | "clientDataJSON" | "authenticatorData" | "signature", string>;
}
const { vectors }: { vectors: Vector[] } = JSON.parse(
  readFileSync(new URL("../../tests/passkeys/w3c-vectors.json", import.meta.url), "utf8"),
);

/** The two answers of a passkey to challenges of ours. */
async function perform(passkey: ReturnType<typeof createPasskey>, quirks: Quirks = {}) {
  const created = passkey.create(await challenges.create(`create:${userId}`), quirks);
  const got = passkey.get(await challenges.create("get"), quirks);
  return { created, got };
}
type Created = Parameters<typeof parseRegistration>[0];
type Got = Parameters<typeof parseAssertion>[0];
const register = (created: unknown, of = userId) => parseRegistration(created as Created, of);
const assertion = (got: unknown) => parseAssertion(got as Got);

describe("P01 the W3C's test vectors", () => {
  const toText = (hex: string) => Buffer.from(hex, "hex").toString("base64url");
  const isVerified = (authData: Buffer) => ((authData[32] ?? 0) & flags.verified) !== 0;
  const refusals: [RegExp, string, string?][] = [
    [/ES384|ES512|Ed448/, "public key refused"],
    [/crossOrigin|topOrigin/, "client data refused", "client data refused"],
    [/very long credential ID/, "authenticator data refused"],
  ];

  test.each(vectors)("$name", async ({ name, registration, authentication }) => {
    const own = [registration.challenge, authentication.challenge].map(toText);
    const relyingParty = {
      rpId: "example.org",
      origins: ["https://example.org"],
      challenges: { check: async (challenge: string) => own.indexOf(challenge) },
    };
    const parseRegistration = createParseRegistration(relyingParty);
    const parseAssertion = createParseAssertion(relyingParty);
    const [attestationObject, authenticatorData] = [
      toText(registration.attestationObject),
      toText(authentication.authenticatorData),
    ];
    const id = toText(registration.credential_id);
    const created = parseRegistration(
      {
        ...{ id, rawId: id },
        response: { clientDataJSON: toText(registration.clientDataJSON), attestationObject },
      },
      userId,
    );
    const got = parseAssertion({
      ...{ id, rawId: id },
      response: {
        ...{ clientDataJSON: toText(authentication.clientDataJSON), authenticatorData },
        ...{
          signature: toText(authentication.signature),
          userHandle: toText(Buffer.from(userId).toString("hex")),
        },
      },
    });
    const authData = authDataOf(attestationObject);
    const [, ofCreated, ofGot] = refusals.find(([names]) => names.test(name)) ?? [];
    // Client data is looked at first, then whether the user was verified.
    const expected = (by: string | undefined, data: Buffer) =>
      by === "client data refused" || isVerified(data) ? (by ?? "taken") : "user not verified";
    expect([await outcome(created), await outcome(got)]).toEqual([
      expected(ofCreated, authData),
      expected(ofGot, Buffer.from(authenticatorData, "base64url")),
    ]);
    if (ofCreated) return;
    // Some were made without asking for the user: their keys and signatures are right all the same.
    const attested = parseAttestedCredential(parseAuthenticatorData(authData));
    const signed = Buffer.concat([
      Buffer.from(authenticatorData, "base64url"),
      sha256(Buffer.from(authentication.clientDataJSON, "hex")),
    ]);
    const signature = Buffer.from(authentication.signature, "hex");
    expect(isSignedBy(attested, { signed, signature })).toBe(true);
    expect(isSignedBy(attested, { signed: signed.reverse(), signature })).toBe(false);
  });
});

test.each(["Ed25519", "ES256", "RS256"] as const)("a passkey with %s is made and used", async (kind) => {
  const passkey = createPasskey({ userId, kind });
  const { created, got } = await perform(passkey);
  const made = await register(created);
  const asserted = await assertion(got);
  expect(made).toMatchObject({ credentialId: passkey.credentialId, aaguid: "0".repeat(32), signCount: 0 });
  expect(asserted).toMatchObject({ userId, passkeyId: made.passkeyId, challengedAt: nowMs });
  expect(made.passkeyId).toMatch(/^[\w-]{22}$/);
  expect(isSignedBy(made, asserted)).toBe(true);
});

test("P12 signatures are taken however short their numbers are", async () => {
  const passkey = createPasskey({ userId });
  const made = await register(passkey.create(await challenges.create(`create:${userId}`)));
  const lengths = new Set<number>();
  for (let i = 0; i < 500; i++) {
    const asserted = await assertion(passkey.get(await challenges.create("get")));
    lengths.add(asserted.signature.length);
    expect(isSignedBy(made, asserted)).toBe(true);
  }
  expect(lengths.size).toBeGreaterThan(2);
});

describe("P03 a challenge counts for its purpose, its user, and ten minutes", () => {
  const at = async (ageMs: number, purpose: ChallengePurpose, by = challenges) => {
    nowMs -= ageMs;
    const challenge = await by.create(purpose);
    nowMs += ageMs;
    return challenge;
  };
  const flip = (challenge: string, bit: number) => toFlipped(challenge, bit);

  test.each<[string, () => Promise<string>, string]>([
    ["of another purpose", () => at(0, `create:${userId}`), "wrong challenge"],
    ["of a retired key", () => at(1000, "get", challengesOf(retired)), "wrong challenge"],
    ["600 s old", () => at(600_000, "get"), "taken"],
    ["601 s old", () => at(601_000, "get"), "challenge too old"],
    ["a machine's clock ahead", () => at(-5_000, "get"), "taken"],
    ["of the future", () => at(-6_000, "get"), "challenge too old"],
    ["of a changed time", async () => flip(await at(0, "get"), 40), "wrong challenge"],
    ["of a changed MAC", async () => flip(await at(0, "get"), 255), "wrong challenge"],
    ["too short", async () => (await at(0, "get")).slice(0, 22), "wrong challenge"],
    ["not canonical", async () => `${await at(0, "get")}=`, "wrong challenge"],
  ])("%s: %#", async (_, create, expected) => {
    expect(await outcome(assertion(createPasskey({ userId }).get(await create())))).toBe(expected);
  });

  test("a new passkey is its user's alone", async () => {
    const created = createPasskey({}).create(await challenges.create(`create:${userId}`));
    expect(await outcome(register(created, randomUUID()))).toBe("wrong challenge");
  });
});

describe("both ceremonies refuse what is not as it has to be", () => {
  test.each<[string, Quirks, string]>([
    ["P05 members of the client data that nobody asked for", { clientData: { other: { a: [1] } } }, "taken"],
    ["P06 a challenge that is no text", { clientData: { challenge: 1 } }, "client data refused"],
    ["P07 another port", { origin: "http://localhost:3001" }, "wrong origin"],
    ["P07 another scheme", { origin: "https://localhost:3000" }, "wrong origin"],
    ["P07 another site", { origin: "https://evil.example" }, "wrong origin"],
    ["P07 no origin", { origin: "null" }, "wrong origin"],
    ["P08 a frame of another origin", { clientData: { crossOrigin: true } }, "client data refused"],
    ["P08 another page on top", { clientData: { topOrigin: origin } }, "client data refused"],
    ["P09 a user who was not verified", { clear: flags.verified }, "user not verified"],
    ["P10 nobody there", { clear: flags.present }, "user not verified"],
    ["P10 backed up, but not to be", { set: flags.backedUp }, "authenticator data refused"],
    ["P13 to be backed up", { set: flags.backupEligible }, "taken"],
    ["P10 another domain", { rpId: "example.org" }, "wrong domain of a passkey"],
    ["a type of the other ceremony", { clientData: { type: "webauthn.other" } }, "client data refused"],
    ["extensions that are not there", { set: 128 }, "authenticator data refused"],
  ])("%s", async (_, quirks, expected) => {
    const { created, got } = await perform(createPasskey({ userId }), quirks);
    expect([await outcome(register(created)), await outcome(assertion(got))]).toEqual([expected, expected]);
  });

  test.each<[string, (clientData: string) => Buffer]>([
    ["a BOM", (text) => Buffer.from(`\ufeff${text}`)],
    ["no UTF-8", (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0x2c, 0xff])])],
    ["an array", (text) => Buffer.from(`[${text}]`)],
    ["null", () => Buffer.from("null")],
    ["nothing", () => Buffer.alloc(0)],
  ])("P06 client data with %s", async (_, change) => {
    const { got } = await perform(createPasskey({ userId }));
    const text = Buffer.from(String(got.response.clientDataJSON), "base64url").toString();
    const clientDataJSON = change(text).toString("base64url");
    const changed = { ...got, response: { ...got.response, clientDataJSON } };
    expect(await outcome(assertion(changed))).toBe("client data refused");
  });

  test.each([
    [0, "authenticator data refused"],
    [1, "taken"],
    [256, "taken"],
    [257, "authenticator data refused"],
    [1023, "authenticator data refused"],
  ])("P23 a credential id of %i bytes", async (length, expected) => {
    const credentialId = Buffer.alloc(length, 7);
    expect(await outcome(register((await perform(createPasskey({}), { credentialId })).created))).toBe(
      expected,
    );
  });

  test("P11 two ids that differ, and an id that is not the one in the data", async () => {
    const { created, got } = await perform(createPasskey({ userId }));
    const id = Buffer.alloc(32).toString("base64url");
    for (const names of [{ id }, { rawId: id }])
      expect(await outcome(assertion({ ...got, ...names }))).toBe("authenticator data refused");
    expect(await outcome(register({ ...created, id, rawId: id }))).toBe("authenticator data refused");
  });

  test.each(["", "nobody", userId.toUpperCase(), `${userId}0`])("a user handle %j", async (userHandle) => {
    const { got } = await perform(createPasskey({ userId }), { userHandle });
    expect(await outcome(assertion(got))).toBe("user handle refused");
  });

  test.each(["a=", "a b", "-", "é"])("a signature of %j, which is no base64url", async (signature) => {
    const { got } = await perform(createPasskey({ userId }));
    const changed = { ...got, response: { ...got.response, signature } };
    expect(await outcome(assertion(changed))).toBe("not canonical base64url");
  });

  test.each<[string, Buffer]>([
    ["a length beyond the end", Buffer.from([0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["9,000 arrays in each other", Buffer.alloc(9_000, 0x81)],
    ["an array that says it is long", Buffer.from([0x9a, 0xff, 0xff, 0xff, 0xff, 0x00])],
    ["a text", Buffer.from([0x61, 0x61])],
    ["nothing", Buffer.alloc(0)],
  ])("P24 an attestation object of %s", async (_, bytes) => {
    const { created } = await perform(createPasskey({}));
    const response = { ...created.response, attestationObject: bytes.toString("base64url") };
    expect(await outcome(register({ ...created, response }))).toBe("authenticator data refused");
  });
});

describe("public keys", () => {
  const [ed25519, es256, rsa] = (["Ed25519", "ES256", "RS256"] as const).map((kind) =>
    createPasskey({ kind }),
  );
  type Key = Map<number, unknown>;
  const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);

  test.each<[string, ReturnType<typeof createPasskey> | undefined, (key: Key) => unknown]>([
    ["P25 a point off the curve", es256, (key) => key.set(-2, bytes(32))],
    ["a coordinate too short", es256, (key) => key.set(-2, bytes(31))],
    ["another curve", es256, (key) => key.set(-1, 2)],
    ["another type", es256, (key) => key.set(1, 3)],
    ["an algorithm as text", es256, (key) => key.set(3, "ES256")],
    ["an algorithm that was not offered", es256, (key) => key.set(3, -35)],
    ["a coordinate that is no bytes", es256, (key) => key.set(-3, 5)],
    ["an Ed25519 key too long", ed25519, (key) => key.set(-2, bytes(33))],
    ["an RSA key of 1,024 bits", rsa, (key) => key.set(-1, bytes(128, 255))],
    ["an RSA key of 8,192 bits", rsa, (key) => key.set(-1, bytes(1024, 255))],
    ["an RSA key with the exponent 3", rsa, (key) => key.set(-2, Uint8Array.of(3))],
    ["an RSA key with a zero before it", rsa, (key) => key.set(-2, Uint8Array.of(0, 1, 0, 1))],
  ])("%s is refused", async (_, passkey, change) => {
    const { created } = await perform(passkey ?? createPasskey({}));
    const object = decodeCBOR(
      Uint8Array.from(Buffer.from(String(created.response.attestationObject), "base64url")),
    ) as Map<string, Uint8Array>;
    const authData = object.get("authData") ?? bytes(0);
    const head = authData.slice(0, 87);
    const key = decodeCBOR(authData.slice(87)) as Key;
    change(key);
    object.set("authData", Uint8Array.from([...head, ...encodeCBOR(key as never)]));
    const response = {
      ...created.response,
      attestationObject: Buffer.from(encodeCBOR(object)).toString("base64url"),
    };
    expect(await outcome(register({ ...created, response }))).toBe("public key refused");
  });
});

describe("P25 an oracle (SimpleWebAuthn), bit by bit", () => {
  const expectations = { expectedOrigin: origin, expectedRPID: "localhost", requireUserVerification: true };

  test("a sign-in with any bit changed is refused by both", async () => {
    const passkey = createPasskey({ userId });
    const { created, got } = await perform(passkey, { signCount: 7 });
    const made = await register(created);
    const challenge = challengeOf(got);
    const credential = {
      ...{ id: made.credentialId, counter: 0 },
      publicKey: authDataOf(String(created.response.attestationObject)).subarray(87),
    };
    const byOracle = (response: typeof got) =>
      verifyAuthenticationResponse({
        ...{ response: response as never, expectedChallenge: challenge, credential: credential as never },
        ...expectations,
      }).then(
        ({ verified }) => verified,
        () => false,
      );
    const byUs = (response: typeof got) =>
      assertion(response).then(
        (asserted) => isSignedBy(made, asserted),
        () => false,
      );
    expect([await byOracle(got), await byUs(got)]).toEqual([true, true]);
    for (const member of ["clientDataJSON", "authenticatorData", "signature"]) {
      for (const changed of flipped(String(got.response[member]))) {
        const response = { ...got, response: { ...got.response, [member]: changed } };
        expect(await byUs(response)).toBe(false);
        // The oracle reads past some bits of the frame around the two numbers.
        if (member !== "signature") expect(await byOracle(response)).toBe(false);
      }
    }
  });

  test("of new passkeys with any bit changed, what only one of them takes is known", async () => {
    const { created } = await perform(createPasskey({}));
    const challenge = challengeOf(created);
    const { attestationObject } = created.response;
    const idAt = Buffer.from(String(attestationObject), "base64url").length - 77 - 32;
    const differences = new Set<string>();
    for (const [bit, changed] of flipped(String(attestationObject)).entries()) {
      const response = { ...created, response: { ...created.response, attestationObject: changed } };
      const ours = await outcome(register(response));
      const isTakenByOracle = await verifyRegistrationResponse({
        ...{ response: response as never, expectedChallenge: challenge, ...expectations },
      }).then(
        ({ verified }) => verified,
        () => false,
      );
      if (isTakenByOracle === (ours === "taken")) continue;
      const at = (bit >> 3) - idAt;
      const where = at < 0 ? "frame" : at < 32 ? "credential id" : "public key";
      differences.add(`${where}: ${ours}`);
    }
    // Without attestation nothing is decided by the frame; what the oracle takes as an id or a key could never be used.
    expect([...differences].sort()).toEqual([
      "credential id: authenticator data refused",
      "frame: authenticator data refused",
      "frame: taken",
      "public key: authenticator data refused",
      "public key: public key refused",
    ]);
  });
});

const challengeOf = ({ response }: { response: Record<string, unknown> }): string =>
  JSON.parse(Buffer.from(String(response.clientDataJSON), "base64url").toString()).challenge;

function authDataOf(attestationObject: string): Buffer {
  const object = decodeCBOR(Uint8Array.from(Buffer.from(attestationObject, "base64url")));
  return Buffer.from((object as Map<string, Uint8Array>).get("authData") ?? []);
}

/** The text with one bit of its bytes changed. */
function toFlipped(text: string, bit: number): string {
  const bytes = Buffer.from(text, "base64url");
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString("base64url");
}

function flipped(text: string): string[] {
  const bits = Buffer.from(text, "base64url").length * 8;
  return Array.from({ length: bits }, (_, bit) => toFlipped(text, bit));
}

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest();

/** "taken", or why not. */
const outcome = (result: Promise<unknown>): Promise<string> =>
  result.then(
    () => "taken",
    (error) => {
      if (error instanceof PasskeyError) return error.reason;
      throw error;
    },
  );
