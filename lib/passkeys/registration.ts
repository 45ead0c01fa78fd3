import { findAuthenticatorData, parseAttestedCredential } from "./attested-credential.ts";
import {
  type CredentialJson,
  createCeremony,
  createPasskeyId,
  type PasskeyState,
  parseCredentialId,
  parseMember,
  type RelyingParty,
  toState,
} from "./ceremony.ts";
import type { PasskeyKey } from "./cose-key.ts";
import type { Passkey } from "./passkey.ts";
import { PasskeyError } from "./passkey-error.ts";

/** A new passkey as the browser answers it (WebAuthn Level 3, 5.1.8.1). Every text is base64url. */
export interface RegistrationJson extends CredentialJson {
  response: { clientDataJSON: string; attestationObject: string };
}

/** The same with what the browser says of its authenticator, which nothing signs. */
export type PasskeyAnswer = RegistrationJson & { response: { transports?: string[] } };

/** A passkey that was made for a user. */
export interface NewPasskey extends PasskeyKey, PasskeyState {
  passkeyId: string;
  credentialId: string;
  aaguid: string;
}

/** Checks a new passkey. */
export type ParseRegistration = ReturnType<typeof createParseRegistration>;

/** Makes the check of a new passkey (WebAuthn Level 3, 7.1) – without attestation: `fmt` and `attStmt` are not looked at. */
export function createParseRegistration(relyingParty: RelyingParty) {
  const { checkClientData, readAuthenticatorData } = createCeremony(relyingParty);

  /**
   * Checks a new passkey that was made for this user, or by whoever registers for the user to be. Throws PasskeyError, AppError
   * `unavailable`.
   */
  return async function parseRegistration(
    { response, ...names }: RegistrationJson,
    userId: string,
    act: "create" | "register" = "create",
  ): Promise<NewPasskey> {
    const credentialId = parseCredentialId(names);
    await checkClientData(parseMember(response.clientDataJSON), `${act}:${userId}`);
    const data = readAuthenticatorData(findAuthenticatorData(parseMember(response.attestationObject)));
    const { credentialId: attestedId, ...attested } = parseAttestedCredential(data);
    if (!attestedId.equals(credentialId)) throw new PasskeyError("authenticator data refused");
    const passkeyId = createPasskeyId(credentialId);
    return { passkeyId, credentialId: credentialId.toString("base64url"), ...attested, ...toState(data) };
  };
}

/** A new passkey as the user's item is to hold it; `createdAt` is in epoch seconds. */
export function toPasskey(
  { passkeyId: _, ...made }: NewPasskey,
  { response: { transports = [] } }: PasskeyAnswer,
  name = "Passkey",
  createdAt: number,
): Passkey {
  return { ...made, name, transports, createdAt };
}
