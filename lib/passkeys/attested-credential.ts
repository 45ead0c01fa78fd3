import { decodePartialCBOR } from "@levischuck/tiny-cbor";
import type { AuthenticatorData } from "./authenticator-data.ts";
import { type PasskeyKey, parseCoseKey } from "./cose-key.ts";
import { PasskeyError } from "./passkey-error.ts";

/** A new credential: its id, its key, and the model of the authenticator (zeros where it does not say). */
export interface AttestedCredential extends PasskeyKey {
  /** 16 bytes, hex. */
  aaguid: string;
  credentialId: Buffer;
}

const idAt = 18;
const maxCredentialIdLength = 256;

/** Reads the credential in authenticator data (WebAuthn Level 3, 6.5.1), to the last byte of the data. Throws PasskeyError. */
export function parseAttestedCredential({
  rest,
  hasCredential,
  hasExtensions,
}: AuthenticatorData): AttestedCredential {
  if (!hasCredential || rest.length < idAt) throw new PasskeyError("authenticator data refused");
  const idLength = rest.readUInt16BE(16);
  const keyAt = idAt + idLength;
  if (idLength < 1 || idLength > maxCredentialIdLength || keyAt > rest.length)
    throw new PasskeyError("authenticator data refused");
  const [key, length] = decodeCbor(rest, keyAt);
  let end = keyAt + length;
  if (hasExtensions) {
    const [extensions, length] = decodeCbor(rest, end);
    if (!(extensions instanceof Map)) throw new PasskeyError("authenticator data refused");
    end += length;
  }
  // A length beyond the end counts more bytes than there are.
  if (end !== rest.length) throw new PasskeyError("authenticator data refused");
  const aaguid = rest.subarray(0, 16).toString("hex");
  return { aaguid, credentialId: rest.subarray(idAt, keyAt), ...parseCoseKey(key) };
}

/** The authenticator data of an attestation object (WebAuthn Level 3, 6.5.4). Throws PasskeyError. */
export function findAuthenticatorData(bytes: Buffer): Buffer {
  const [object, length] = decodeCbor(bytes);
  const found: unknown = object instanceof Map ? object.get("authData") : undefined;
  if (length !== bytes.length || !(found instanceof Uint8Array))
    throw new PasskeyError("authenticator data refused");
  return Buffer.from(found);
}

/** Decodes one CBOR item, and says how long it claims to be. */
function decodeCbor(bytes: Buffer, from = 0): [item: unknown, length: number] {
  try {
    // The library takes a plain Uint8Array alone, and reads what is behind its end in the same memory: hence a copy.
    return decodePartialCBOR(Uint8Array.from(bytes.subarray(from)), 0);
  } catch {
    throw new PasskeyError("authenticator data refused");
  }
}
