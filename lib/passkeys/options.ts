import { challengeSeconds } from "./challenge.ts";
import { passkeyAlgorithms } from "./cose-key.ts";
import type { Passkey } from "./passkey.ts";

/** The dialog of a ceremony may stand open for as long as its challenge counts. */
const timeout = challengeSeconds * 1000;

/**
 * What a browser signs in by (PublicKeyCredentialRequestOptionsJSON, WebAuthn Level 3, 5.5). It names nobody: the browser
 * shows the passkeys that it has.
 */
export function createRequestOptions(rpId: string, challenge: string) {
  return { challenge, rpId, timeout, allowCredentials: [], userVerification: "required" };
}

/** Whom a new passkey is for. */
interface PasskeyOwner {
  userId: string;
  email: string;
  passkeys?: Readonly<Record<string, Passkey>>;
}

/** What a browser makes a passkey by (PublicKeyCredentialCreationOptionsJSON, WebAuthn Level 3, 5.4). */
export function createCreationOptions(
  rp: { id: string; name: string },
  { userId, email, passkeys = {} }: PasskeyOwner,
  challenge: string,
) {
  return {
    ...{ rp, challenge, timeout },
    // No address is in the id: an authenticator may show it to others.
    user: { id: Buffer.from(userId).toString("base64url"), name: email, displayName: email },
    pubKeyCredParams: passkeyAlgorithms.map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: Object.values(passkeys).map(({ credentialId: id, transports }) => ({
      ...{ type: "public-key", id, transports },
    })),
    authenticatorSelection: {
      ...{ residentKey: "required", requireResidentKey: true, userVerification: "required" },
    },
    attestation: "none",
  };
}
