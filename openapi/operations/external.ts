import { finishBody, idTokenBody } from "../../lib/http/provider-schemas.ts";
import { flowSeconds } from "../../lib/providers/flow.ts";
import { bodySchema, type Component, object, text } from "../schemas.ts";
import { hasModes, type Operation, opened, opensSession, takesBody } from "./operation.ts";

/** The routes of functions/external/, by the names of their functions. */
export const external = {
  listProviders: {
    route: "GET /auth/external",
    tag: "External sign-in",
    summary: "List the providers",
    description: "What buttons a page shows.",
    answers: [
      { status: 200, description: "The providers.", schemas: ["ProviderList"], headers: ["Cache-Control"] },
    ],
    problems: [],
  },
  beginExternal: {
    route: "POST /auth/external/{provider}",
    tag: "External sign-in",
    summary: "Begin a sign-in at a provider",
    description: `Gives the URL that the page opens. The provider sends the browser back to \`redirectUri\`, a page of the application, which hands \`code\`, \`state\` and \`iss\` to \`POST /auth/external/{provider}/finish\`. A cookie, \`{cookieName}-flow-…\`, binds the sign-in to this browser for ${flowSeconds} s; with \`Auth-Mode: bearer\` it is \`flow\` in the answer, to be kept and sent back.`,
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
    problems: [...takesBody, ...hasModes, "not_found"],
  },
  formExternal: {
    route: "POST /auth/external/{provider}/form",
    tag: "External sign-in",
    summary: "Take the form of a provider",
    description:
      "For a provider that returns by a form instead of a redirect (Apple): this URL is registered there, and the browser is sent on to the application's page with what the form says in its query. It decides nothing, and reads no cookie.",
    parameters: ["Provider"],
    body: { schema: "ProviderForm", mediaType: "application/x-www-form-urlencoded" },
    answers: [{ status: 303, description: "On to the page. There is no body.", headers: ["Location"] }],
    problems: ["body_too_large", "unsupported_media_type", "not_found"],
  },
  finishExternal: {
    route: "POST /auth/external/{provider}/finish",
    tag: "External sign-in",
    summary: "End a sign-in at a provider",
    description:
      "Starts a session as a login does. The account is the one that has the identity; the first sign-in makes one, if the provider has verified the e-mail address and no account has it. Whoever has an account with the address logs in as before and links the provider – only one that gives out the addresses of the domain itself opens an account with a proven address and no second factor at once. The code is redeemed once; the same request may be sent again for ten minutes and gets the same answer, as long as the session has not been renewed or ended. An account with a second factor is asked for `otp`: send the same request again with it. An app whose SDK asks the provider begins here, too, hands `nonce` to the SDK (as it is, or its SHA-256 in hex where the SDK wants that), and sends `idToken` in place of `code`.",
    parameters: [...opensSession, "Provider"],
    body: { schema: "ProviderReturn", orSchema: "ProviderIdToken" },
    answers: [opened],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "sign_in_over",
      "sign_in_refused",
      "second_factor_required",
      "invalid_otp",
      "email_not_verified",
      "registration_closed",
      "not_found",
      "email_taken",
      "too_many_attempts",
      "too_many_requests",
      "provider_unavailable",
      "unavailable",
    ],
  },
} satisfies Record<string, Operation>;

const state = "Tn0p7mJxw3d9k8s5u1bAq2Tn0p7mJxw3d9k8s5u1bAq";
const nonce = "q2Tn0p7mJxw3d9k8s5u1bAq2Tn0p7mJxw3d9k8s5u1bA";
const flow = `google~1800000600~~0~${nonce.slice(0, 43)}`;
const authorizationUrl = `https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=web&state=${state}`;

const flowMembers = {
  authorizationUrl: text("The URL that the page opens."),
  state: text("What the provider gives back."),
  nonce: text("What an ID token of this sign-in has."),
};

const ofClient = {
  flow: "Of a bearer client: as it was answered at the start.",
  otp: "A code of the authenticator app, or a recovery code, as it was typed: where the account has a second factor.",
  device: "Of a bearer client: what it keeps of earlier logins.",
};

/** The schemas of these routes. */
export const externalSchemas: Record<string, Component> = {
  ProviderList: {
    schema: object({
      providers: {
        type: "array",
        maxItems: 8,
        items: object({
          id: text("Its name in the routes."),
          name: text("What the button says."),
        }),
      },
    }),
    example: { providers: [{ id: "google", name: "Google" }] },
  },
  ProviderStart: {
    schema: {
      type: "object",
      properties: {
        redirectUri: {
          type: "string",
          description: "Which of the provider's pages it returns to; by default the first one.",
        },
      },
      additionalProperties: false,
    },
    example: {},
  },
  ProviderFlow: {
    schema: object(flowMembers),
    example: { authorizationUrl, state, nonce },
  },
  ProviderBearerFlow: {
    schema: object({ ...flowMembers, flow: text("What the app keeps until the provider has returned.") }),
    example: { authorizationUrl, state, nonce, flow },
  },
  ProviderForm: {
    schema: {
      ...object(
        {
          code: text("As the provider put it into the form."),
          state: text("As the provider put it into the form."),
          iss: text("As the provider put it into the form, if it did (RFC 9207)."),
          error: text("What it says where nobody has signed in."),
        },
        { optional: ["code", "state", "iss", "error"] },
      ),
      additionalProperties: true,
      description: "Whatever else there is, and what comes twice, is dropped.",
    },
    example: { code: "c1f2", state },
  },
  ProviderReturn: {
    schema: bodySchema(finishBody, {
      code: "As the provider put it into the URL.",
      state: "As the provider put it into the URL.",
      iss: "As the provider put it into the URL, if it did (RFC 9207).",
      ...ofClient,
    }),
    example: { code: "4/0AX4XfWh", state },
  },
  ProviderIdToken: {
    schema: bodySchema(idTokenBody, {
      idToken: "As the provider's SDK gave it to the app; it has the nonce of the start.",
      state: "As it was answered at the start.",
      ...ofClient,
    }),
    example: { idToken: "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl", state },
  },
};
