import { addPasskeyBody, removePasskeyBody, renamePasskeyBody } from "../../lib/http/passkey-schemas.ts";
import { passkeyAlgorithms } from "../../lib/passkeys/cose-key.ts";
import { createRequestOptions } from "../../lib/passkeys/options.ts";
import {
  bodySchema,
  type Component,
  createdAt,
  type JsonSchema,
  object,
  passkeySchema,
  text,
} from "../schemas.ts";
import { ended, hasWholePair, knowsCaller, type Operation, takesBody } from "./operation.ts";

/** The routes of functions/passkeys/, by the names of their functions. */
export const passkeys = {
  beginPasskey: {
    route: "POST /auth/passkeys/challenge",
    tag: "Passkeys",
    summary: "Begin a new passkey",
    description:
      "Gives what `PublicKeyCredential.parseCreationOptionsFromJSON` takes. Its challenge is good for ten minutes and for this user. Needs a login of the last 300 s, and where mail is on a proven address.",
    needs: "token",
    answers: [{ status: 200, description: "The options.", schemas: ["PasskeyCreationOptions"] }],
    problems: [
      ...takesBody,
      ...knowsCaller,
      "insufficient_user_authentication",
      "email_unproven",
      "too_many_passkeys",
    ],
  },
  addPasskey: {
    route: "POST /auth/passkeys",
    tag: "Passkeys",
    summary: "Add a passkey",
    description:
      "Takes what the browser made (`toJSON()`). The user has to have been verified; attestation is not looked at. Needs a login of the last 300 s, the whole pair (a bearer client sends `refreshToken`) and the session's `Session-Key` if it has one. The same answer of the browser is added once, however often it is sent.",
    needs: "token",
    parameters: ["AuthMode", "SessionKey"],
    body: { schema: "PasskeyAddition" },
    answers: [{ status: 201, description: "The passkey.", schemas: ["Passkey"] }],
    problems: [
      ...takesBody,
      ...knowsCaller,
      ...hasWholePair,
      "insufficient_user_authentication",
      "email_unproven",
      "too_many_passkeys",
    ],
  },
  listPasskeys: {
    route: "GET /auth/passkeys",
    tag: "Passkeys",
    summary: "List the passkeys",
    description:
      "With what `PublicKeyCredential.signalAllAcceptedCredentials` takes: it hides passkeys that were removed.",
    needs: "token",
    answers: [{ status: 200, description: "All passkeys of the account.", schemas: ["PasskeyList"] }],
    problems: [...knowsCaller],
  },
  renamePasskey: {
    route: "PATCH /auth/passkeys/{passkeyId}",
    tag: "Passkeys",
    summary: "Name a passkey",
    needs: "token",
    parameters: ["PasskeyId"],
    body: { schema: "PasskeyName" },
    answers: [{ status: 200, description: "The passkey.", schemas: ["Passkey"] }],
    problems: [...takesBody, ...knowsCaller, "not_found"],
  },
  removePasskey: {
    route: "DELETE /auth/passkeys/{passkeyId}",
    tag: "Passkeys",
    summary: "Remove a passkey",
    description:
      "Nobody signs in with it any more; sessions go on. Needs what adding one needs. The last thing that opens the account cannot be removed.",
    needs: "token",
    parameters: ["AuthMode", "SessionKey", "PasskeyId"],
    body: { schema: "PasskeyRemoval", isOptional: true },
    answers: [ended],
    problems: [
      ...takesBody,
      ...knowsCaller,
      ...hasWholePair,
      "insufficient_user_authentication",
      "not_found",
      "last_sign_in_method",
    ],
  },
  beginPasskeyLogin: {
    route: "POST /auth/login/challenge",
    tag: "Passkeys",
    summary: "Begin a sign-in with a passkey",
    description:
      "Gives what `PublicKeyCredential.parseRequestOptionsFromJSON` takes; what the browser answers goes to `POST /auth/login`. It names nobody: the browser offers the passkeys it has. Good for ten minutes.",
    answers: [{ status: 200, description: "The options.", schemas: ["PasskeyRequestOptions"] }],
    problems: [...takesBody, "unavailable"],
  },
  relatedOrigins: {
    route: "GET /.well-known/webauthn",
    tag: "Documents",
    summary: "Which other sites use the passkeys",
    description: "For browsers: pages of these origins may use the passkeys of this host (WebAuthn, 5.11).",
    answers: [
      { status: 200, description: "The origins.", schemas: ["RelatedOrigins"], headers: ["Cache-Control"] },
    ],
    problems: [],
  },
} satisfies Record<string, Operation>;

const passkeyId = "q2Tn0p7mJxw3d9k8s5u1bA";
const challenge = "AaMXkk0AESIzRFVmd4iZqrvM3e7_ABEiM0RVZneImao";
const userHandle = "NWUwYTNhMGUtNmYwYS00ZjBlLThmNWMtM2E3ZjNkMWMyYjRh";
const credentialId = "9x85HbTJsv3g6nAYnLo_tj9Xm6YSKzOtlP8-wzAIS-Q";
const answer = { id: credentialId, rawId: credentialId, type: "public-key" };

const passkeyExample = {
  ...{ passkeyId, credentialId, name: "Ada's phone", createdAt, lastUsedAt: null, isBackedUp: true },
  ...{ transports: ["internal"], aaguid: "0".repeat(32) },
};

const options = (members: Record<string, JsonSchema>): JsonSchema => ({
  ...object({
    challenge: text("32 bytes, base64url."),
    timeout: { type: "integer", description: "For so long the dialog may stand open. Milliseconds." },
    ...members,
  }),
  additionalProperties: true,
});
const anyObject: JsonSchema = { type: "object" };
const list: JsonSchema = { type: "array", items: anyObject };

/** The schemas of these routes. */
export const passkeySchemas: Record<string, Component> = {
  PasskeyAddition: {
    schema: bodySchema(addPasskeyBody, {
      passkey: "What the browser answered: `RegistrationResponseJSON`.",
      name: "What its owner calls it; by default Passkey.",
      refreshToken: "Of a bearer client: the refresh token that is current.",
    }),
    example: {
      passkey: {
        ...answer,
        response: {
          clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
          attestationObject: "o2NmbXRkbm9uZQ",
          transports: ["internal"],
        },
      },
      name: "Ada's phone",
    },
  },
  PasskeyName: {
    schema: bodySchema(renamePasskeyBody, { name: "What its owner calls it." }),
    example: { name: "Ada's phone" },
  },
  PasskeyRemoval: {
    schema: bodySchema(removePasskeyBody, {
      refreshToken: "Of a bearer client: the refresh token that is current.",
    }),
    example: {},
  },
  Passkey: { schema: passkeySchema, example: passkeyExample },
  PasskeyList: {
    schema: object({
      rpId: text("The domain that the passkeys belong to."),
      userHandle: text("The user as browsers name it, base64url."),
      passkeys: { type: "array", maxItems: 10, items: passkeySchema },
    }),
    example: { rpId: "example.com", userHandle, passkeys: [passkeyExample] },
  },
  PasskeyCreationOptions: {
    schema: options({
      rp: anyObject,
      user: anyObject,
      pubKeyCredParams: list,
      excludeCredentials: list,
      authenticatorSelection: anyObject,
      attestation: { type: "string", const: "none" },
    }),
    example: {
      ...{ rp: { id: "example.com", name: "Example" }, challenge, timeout: 600_000 },
      user: { id: userHandle, name: "ada@example.com", displayName: "ada@example.com" },
      pubKeyCredParams: passkeyAlgorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: [],
      authenticatorSelection: {
        ...{ residentKey: "required", requireResidentKey: true, userVerification: "required" },
      },
      attestation: "none",
    },
  },
  PasskeyRequestOptions: {
    schema: options({
      rpId: text("The domain that the passkeys belong to."),
      allowCredentials: { type: "array", maxItems: 0 },
      userVerification: { type: "string", const: "required" },
    }),
    example: createRequestOptions("example.com", challenge),
  },
  RelatedOrigins: {
    schema: object({ origins: { type: "array", items: { type: "string" } } }),
    example: { origins: ["https://auth.example.com", "https://example.org"] },
  },
};
