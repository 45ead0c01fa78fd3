import { PasskeyError } from "./passkey-error.ts";

/** What an authenticator signs beside the client data (WebAuthn Level 3, 6.1). Nothing of it is trusted before its signature is. */
export interface AuthenticatorData {
  /** SHA-256 of the domain that the passkey belongs to. */
  rpIdHash: Buffer;
  isUserPresent: boolean;
  isUserVerified: boolean;
  isBackupEligible: boolean;
  isBackedUp: boolean;
  /** Whether a new credential follows, and whether extensions do. */
  hasCredential: boolean;
  hasExtensions: boolean;
  signCount: number;
  /** What follows. */
  rest: Buffer;
}

const headLength = 37;
const flag = { present: 1, verified: 4, backupEligible: 8, backedUp: 16, credential: 64, extensions: 128 };

/** Reads the head of authenticator data. Throws PasskeyError for one that is too short, or follows where nothing may. */
export function parseAuthenticatorData(bytes: Buffer): AuthenticatorData {
  if (bytes.length < headLength) throw new PasskeyError("authenticator data refused");
  const flags = bytes.readUInt8(32);
  const has = (bit: number) => (flags & bit) !== 0;
  const rest = bytes.subarray(headLength);
  if (rest.length > 0 !== (has(flag.credential) || has(flag.extensions)))
    throw new PasskeyError("authenticator data refused");
  return {
    rpIdHash: bytes.subarray(0, 32),
    isUserPresent: has(flag.present),
    isUserVerified: has(flag.verified),
    isBackupEligible: has(flag.backupEligible),
    isBackedUp: has(flag.backedUp),
    hasCredential: has(flag.credential),
    hasExtensions: has(flag.extensions),
    signCount: bytes.readUInt32BE(33),
    rest,
  };
}
