import { linkBody } from "../../lib/http/provider-schemas.ts";
import { bodySchema, type Component, createdAt, identitySchema, object, text } from "../schemas.ts";
import { ended, hasWholePair, knowsCaller, type Operation, takesBody } from "./operation.ts";

const entryExample = {
  ...{ identityId: "q2Tn0p7mJxw3d9k8s5u1bAq2Tn0p7mJxw3d9k8s5u1bA".slice(0, 43), provider: "google" },
  ...{ email: "ada@example.com", linkedAt: createdAt },
};

/** The routes of functions/identities/, by the names of their functions. */
export const identities = {
  listIdentities: {
    route: "GET /auth/identities",
    tag: "External sign-in",
    summary: "List the identities",
    description: "What opens the account beside its password, passkeys and mailbox.",
    needs: "token",
    answers: [{ status: 200, description: "All identities of the account.", schemas: ["IdentityList"] }],
    problems: [...knowsCaller],
  },
  beginLink: {
    route: "POST /auth/identities/{provider}/begin",
    tag: "External sign-in",
    summary: "Begin to link an identity",
    description:
      "As `POST /auth/external/{provider}`, for the caller's session alone: what comes back goes to `POST /auth/identities/{provider}/finish`. Needs a login of the last 300 s, and where mail is on a proven address.",
    needs: "token",
    parameters: ["AuthMode", "Provider"],
    body: { schema: "ProviderStart", isOptional: true },
    answers: [
      {
        status: 200,
        description: "Where to go.",
        schemas: ["ProviderFlow", "ProviderBearerFlow"],
        headers: ["Set-Cookie"],
      },
    ],
    problems: [
      ...takesBody,
      ...knowsCaller,
      "invalid_auth_mode",
      "insufficient_user_authentication",
      "email_unproven",
      "too_many_identities",
      "not_found",
    ],
  },
  linkIdentity: {
    route: "POST /auth/identities/{provider}/finish",
    tag: "External sign-in",
    summary: "Link an identity",
    description:
      "Whoever has the identity signs in to this account from now on. Needs the session that began it, a login of the last 300 s, the whole pair (a bearer client sends `refreshToken`) and the session's `Session-Key` if it has one. The same request may be sent again.",
    needs: "token",
    parameters: ["AuthMode", "SessionKey", "Provider"],
    body: { schema: "IdentityLink" },
    answers: [{ status: 201, description: "The identity.", schemas: ["Identity"], headers: ["Set-Cookie"] }],
    problems: [
      ...takesBody,
      ...knowsCaller,
      ...hasWholePair,
      "insufficient_user_authentication",
      "sign_in_over",
      "sign_in_refused",
      "email_unproven",
      "identity_taken",
      "too_many_identities",
      "provider_unavailable",
      "not_found",
    ],
  },
  unlinkIdentity: {
    route: "DELETE /auth/identities/{identityId}",
    tag: "External sign-in",
    summary: "Remove an identity",
    description:
      "It is no longer of the account, and every session but the caller's is over. A provider whose word links by the address links it again at the next sign-in there, as long as the address is the same. Needs what linking one needs. The last thing that opens the account cannot be removed.",
    needs: "token",
    parameters: ["AuthMode", "SessionKey", "IdentityId"],
    body: { schema: "IdentityRemoval", isOptional: true },
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
} satisfies Record<string, Operation>;

const ofBearer = "Of a bearer client: the refresh token that is current.";

/** The schemas of these routes. */
export const identitySchemas: Record<string, Component> = {
  Identity: { schema: identitySchema, example: entryExample },
  IdentityList: {
    schema: object({
      identities: { type: "array", maxItems: 10, items: identitySchema },
      hasPassword: { type: "boolean", description: "Whether a password opens the account, too." },
    }),
    example: { identities: [entryExample], hasPassword: true },
  },
  IdentityLink: {
    schema: bodySchema(linkBody, {
      code: "As the provider put it into the URL.",
      state: "As the provider put it into the URL.",
      iss: "As the provider put it into the URL, if it did (RFC 9207).",
      flow: "Of a bearer client: as it was answered at the start.",
      refreshToken: ofBearer,
    }),
    example: { code: "4/0AX4XfWh", state: "Tn0p7mJxw3d9k8s5u1bAq2Tn0p7mJxw3d9k8s5u1bAq" },
  },
  IdentityRemoval: {
    schema: {
      ...object({ refreshToken: text(ofBearer) }, { optional: ["refreshToken"] }),
      additionalProperties: false,
    },
    example: {},
  },
};
