import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { type CBORType, encodeCBOR } from "@levischuck/tiny-cbor";

/** What an authenticator does otherwise than it should. */
export interface Quirks {
  origin?: string;
  rpId?: string;
  /** Members of the client data beside or in place of the usual ones. */
  clientData?: Record<string, unknown>;
  /** Bits of the flags to set and to clear. */
  set?: number;
  clear?: number;
  signCount?: number;
  userHandle?: string;
  credentialId?: Buffer;
}

export const flags = { present: 1, verified: 4, backupEligible: 8, backedUp: 16, attested: 64 };
const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest();

/** The algorithms that authenticators sign with here: how a key is made and what it is in COSE. */
const kinds = {
  Ed25519: { alg: -8, generate: () => generateKeyPairSync("ed25519") },
  ES256: { alg: -7, generate: () => generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  RS256: { alg: -257, generate: () => generateKeyPairSync("rsa", { modulusLength: 2048 }) },
};

/** A passkey in software: what a browser and its authenticator answer, with an authenticator that can be made to lie. */
export function createPasskey({
  userId = "",
  kind = "ES256" as keyof typeof kinds,
  rpId: ownRpId = "localhost",
  origin: ownOrigin = "http://localhost:3000",
}) {
  const { alg, generate } = kinds[kind];
  const { privateKey, publicKey } = generate();
  const ownId = randomBytes(32);

  const createClientData = (type: string, challenge: string, { origin = ownOrigin, clientData }: Quirks) =>
    Buffer.from(
      JSON.stringify({ type: `webauthn.${type}`, challenge, origin, crossOrigin: false, ...clientData }),
    );

  function createHead(usual: number, { rpId = ownRpId, set = 0, clear = 0, signCount = 0 }: Quirks): Buffer {
    const tail = Buffer.alloc(5);
    tail.writeUInt8((usual | set) & ~clear, 0);
    tail.writeUInt32BE(signCount, 1);
    return Buffer.concat([sha256(rpId), tail]);
  }

  const toCredential = (id: Buffer, response: Record<string, unknown>) => {
    const name = toText(id);
    return { id: name, rawId: name, type: "public-key", response, clientExtensionResults: {} };
  };

  return {
    credentialId: toText(ownId),
    publicKey,

    /** What the item of its user has of it. */
    stored: (createdAt: number) => {
      const credentialId = toText(ownId);
      const passkey = {
        ...createStoredPasskey(createdAt),
        ...{ credentialId, alg, publicKey: toSpki(publicKey), isBackupEligible: false, isBackedUp: false },
      };
      return { passkeys: { [toText(sha256(ownId).subarray(0, 16))]: passkey } };
    },

    /** The answer to creation options. */
    create(challenge: string, quirks: Quirks = {}) {
      const { credentialId = ownId } = quirks;
      const idLength = Buffer.alloc(2);
      idLength.writeUInt16BE(credentialId.length);
      const authData = Buffer.concat([
        createHead(flags.present | flags.verified | flags.attested, quirks),
        ...[Buffer.alloc(16), idLength, credentialId, encodeKey(publicKey, alg)],
      ]);
      const object: CBORType = new Map<string, CBORType>([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", Uint8Array.from(authData)],
      ]);
      return toCredential(credentialId, {
        clientDataJSON: toText(createClientData("create", challenge, quirks)),
        attestationObject: toText(encodeCBOR(object)),
        transports: ["internal"],
      });
    },

    /** The answer to request options. */
    get(challenge: string, quirks: Quirks = {}) {
      const clientData = createClientData("get", challenge, quirks);
      const authenticatorData = createHead(flags.present | flags.verified, quirks);
      const signed = Buffer.concat([authenticatorData, sha256(clientData)]);
      return toCredential(quirks.credentialId ?? ownId, {
        clientDataJSON: toText(clientData),
        authenticatorData: toText(authenticatorData),
        signature: toText(sign(alg === -8 ? null : "sha256", signed, privateKey)),
        userHandle: toText(Buffer.from(quirks.userHandle ?? userId)),
      });
    },
  };
}

const toSpki = (key: KeyObject) => toText(key.export({ format: "der", type: "spki" }));

/** The COSE form of a public key (RFC 9053, 7; RFC 8230, 4). */
function encodeKey(key: KeyObject, alg: number): Uint8Array {
  const { x, y, n, e } = key.export({ format: "jwk" });
  const bytes = (text: string | undefined) => Uint8Array.from(Buffer.from(text ?? "", "base64url"));
  const members: [number, number | Uint8Array][] = {
    [-8]: [
      [1, 1],
      [3, alg],
      [-1, 6],
      [-2, bytes(x)],
    ],
    [-7]: [
      [1, 2],
      [3, alg],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    [-257]: [
      [1, 3],
      [3, alg],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  }[alg] as [number, number | Uint8Array][];
  return encodeCBOR(new Map(members));
}

/** A passkey as the table holds it, whoever has its key. */
export function createStoredPasskey(createdAt: number) {
  const { publicKey, credentialId } = createPasskey({});
  return {
    ...{ credentialId, alg: -7, publicKey: toSpki(publicKey) },
    ...{ signCount: 0, isBackupEligible: true, isBackedUp: true, transports: ["internal"] },
    ...{ aaguid: "0".repeat(32), name: "Passkey", createdAt },
  };
}
