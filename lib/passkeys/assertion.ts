import { createPublicKey, verify } from "node:crypto";
import {
  type CredentialJson,
  createCeremony,
  createPasskeyId,
  type PasskeyState,
  parseCredentialId,
  parseMember,
  type RelyingParty,
  sha256,
  toState,
} from "./ceremony.ts";
import type { PasskeyKey } from "./cose-key.ts";
import { PasskeyError } from "./passkey-error.ts";

/** A sign-in as the browser answers it (WebAuthn Level 3, 5.1.8.2). Every text is base64url. */
export interface AssertionJson extends CredentialJson {
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle: string };
}

/** A sign-in whose signature is still to be checked, with the key of the passkey that it names. */
export interface UnverifiedAssertion {
  userId: string;
  passkeyId: string;
  /** When the challenge that it answers was made; epoch milliseconds. */
  challengedAt: number;
  state: PasskeyState;
  signed: Buffer;
  signature: Buffer;
}

/** Checks a sign-in, all but its signature. */
export type ParseAssertion = ReturnType<typeof createParseAssertion>;

const userHandle = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Makes the check of a sign-in (WebAuthn Level 3, 7.2). */
export function createParseAssertion(relyingParty: RelyingParty) {
  const { checkClientData, readAuthenticatorData } = createCeremony(relyingParty);

  /**
   * Checks a sign-in, all but its signature: without the key of the user it names nothing of it is true. Extensions are
   * signed, and not looked at. Throws PasskeyError, AppError `unavailable`.
   */
  return async function parseAssertion({ response, ...names }: AssertionJson): Promise<UnverifiedAssertion> {
    const passkeyId = createPasskeyId(parseCredentialId(names));
    const userId = parseMember(response.userHandle).toString("latin1");
    if (!userHandle.test(userId)) throw new PasskeyError("user handle refused");
    const clientData = parseMember(response.clientDataJSON);
    const challengedAt = await checkClientData(clientData, "get");
    const authenticatorData = parseMember(response.authenticatorData);
    const data = readAuthenticatorData(authenticatorData);
    if (data.hasCredential) throw new PasskeyError("authenticator data refused");
    return {
      ...{ userId, passkeyId, challengedAt, state: toState(data) },
      signed: Buffer.concat([authenticatorData, sha256(clientData)]),
      signature: parseMember(response.signature),
    };
  };
}

/** Answers whether a sign-in was signed by this key. */
export function isSignedBy(
  { alg, publicKey }: PasskeyKey,
  { signed, signature }: Pick<UnverifiedAssertion, "signed" | "signature">,
): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, "base64url"), format: "der", type: "spki" });
  return verify(alg === -8 ? null : "sha256", signed, key, signature);
}
