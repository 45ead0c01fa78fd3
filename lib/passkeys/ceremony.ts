import { createHash, timingSafeEqual } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import { type AuthenticatorData, parseAuthenticatorData } from "./authenticator-data.ts";
import type { ChallengePurpose, PasskeyChallenges } from "./challenge.ts";
import { parseClientData } from "./client-data.ts";
import { PasskeyError } from "./passkey-error.ts";

/** What a browser answers to either ceremony, as JSON (WebAuthn Level 3, 5.1.8). Every text is base64url. */
export interface CredentialJson {
  id: string;
  rawId: string;
}

/** What an authenticator says of a passkey: nothing that is decided by. */
export interface PasskeyState {
  signCount: number;
  isBackupEligible: boolean;
  isBackedUp: boolean;
}

/** Who takes part in a ceremony. */
export interface RelyingParty {
  /** The domain that passkeys belong to. */
  rpId: string;
  /** The pages that may use them. */
  origins: readonly string[];
  challenges: Pick<PasskeyChallenges, "check">;
}

/** Makes what both ceremonies check (WebAuthn Level 3, 7.1 and 7.2). */
export function createCeremony({ rpId, origins, challenges }: RelyingParty) {
  const rpIdHash = sha256(rpId);

  return {
    /** Checks client data, and gives when its challenge was made (epoch milliseconds). Throws PasskeyError, AppError `unavailable`. */
    checkClientData(bytes: Buffer, purpose: ChallengePurpose): Promise<number> {
      const type = purpose === "get" ? "webauthn.get" : "webauthn.create";
      return challenges.check(parseClientData(bytes, { type, origins }), purpose);
    },

    /** Reads authenticator data of this domain, of a user who was verified. Throws PasskeyError. */
    readAuthenticatorData(bytes: Buffer): AuthenticatorData {
      const data = parseAuthenticatorData(bytes);
      if (!timingSafeEqual(data.rpIdHash, rpIdHash)) throw new PasskeyError("wrong domain of a passkey");
      if (!data.isUserPresent || !data.isUserVerified) throw new PasskeyError("user not verified");
      if (data.isBackedUp && !data.isBackupEligible) throw new PasskeyError("authenticator data refused");
      return data;
    },
  };
}

/** The bytes of a member of an answer. Throws PasskeyError. */
export function parseMember(text: string): Buffer {
  const bytes = parseBase64url(text);
  if (!bytes) throw new PasskeyError("not canonical base64url");
  return bytes;
}

/** The credential's id in an answer. Throws PasskeyError. */
export function parseCredentialId({ id, rawId }: CredentialJson): Buffer {
  if (id !== rawId) throw new PasskeyError("authenticator data refused");
  return parseMember(rawId);
}

/** What a passkey is called here: the first half of the hash of the credential's id, 22 characters of base64url. */
export const createPasskeyId = (credentialId: Buffer): string =>
  sha256(credentialId).subarray(0, 16).toString("base64url");

/** What an authenticator says of its passkey. */
export function toState({ signCount, isBackupEligible, isBackedUp }: AuthenticatorData): PasskeyState {
  return { signCount, isBackupEligible, isBackedUp };
}

/** SHA-256. */
export function sha256(data: Buffer | string): Buffer {
  return createHash("sha256").update(data).digest();
}
