import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { changeSchema } from "../lib/accounts/change.ts";
import { type CustomClaims, customClaims, customClaimTexts } from "../lib/accounts/claims.ts";
import { auditRowSchema } from "../lib/audit/store.ts";
import { problems } from "../lib/errors.ts";
import { createConfirmRegistrationBody, passkeyLoginBody } from "../lib/http/passkey-schemas.ts";
import {
  callerBody,
  createAcceptInvitationBody,
  createChangePasswordBody,
  createRecoveryBody,
  createRegisterBody,
  createResetPasswordBody,
  createUndoEmailChangeBody,
  emailBody,
  emailChangeBody,
  emailConfirmationBody,
  loginBody,
  loginCodeBody,
  proofBody,
  totpConfirmationBody,
} from "../lib/http/schemas.ts";
import { type AccessClaims, claimNames } from "../lib/tokens/access-claims.ts";

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Record<string, unknown>;

/** A schema, what it describes, and an example of it. */
export interface Component {
  schema: JsonSchema;
  example: unknown;
}

/** The schema of a text. */
export const text = (description: string): JsonSchema => ({ type: "string", description });
/** The schema of a text of a format that JSON Schema knows. */
export const formatted = (format: "uuid" | "uri" | "idn-email", description: string): JsonSchema => ({
  ...text(description),
  format,
});
/** The schema of a point in time. */
export const time = (description: string): JsonSchema => ({
  type: "integer",
  minimum: 0,
  description: `${description} Epoch seconds.`,
});

/** An object with exactly these members, all of them there but for those named as optional. */
export function object(
  properties: Record<string, JsonSchema>,
  { optional = [] as string[] } = {},
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

/** A valibot schema as JSON Schema, without what only code can check. */
export function toSchema(schema: GenericSchema): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: "input",
    ignoreActions: ["check", "transform"],
  });
  return rest;
}

/** The schema that validates a request; what only code can check is said of its members. */
export function bodySchema(schema: GenericSchema, descriptions: Record<string, string>): JsonSchema {
  const { properties = {}, ...rest } = toSchema(schema);
  return {
    ...rest,
    properties: map(properties as Record<string, JsonSchema>, (member, name) => ({
      ...member,
      description: descriptions[name],
    })),
  };
}

function map<T>(
  record: Record<string, T>,
  change: (value: T, name: string) => JsonSchema,
): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

const address = "An e-mail address, in any case.";
const knownPassword = "The password, as it was chosen.";
const newPassword = "No common password, and not the e-mail address.";
const otpMember = {
  otp: "A code of the authenticator app, or a recovery code, as it was typed: where the account has a second factor.",
};
/** What comes back of a mailed code. */
const proof = {
  challenge: "As it was answered to the request for the code.",
  code: "As it was typed: blanks and hyphens do not count, O is 0, I and L are 1.",
};

const enrolment = `1800000000.${"A".repeat(22)}`;
const challenge = "mHZUMhABI0VniavN7wEjRQ.q83vEjRWeJCrze8SNFZ4kA";
const email = "ada@example.com";
const password = "correct horse battery staple";
/** The id of the user in the examples. */
export const userId = "5e0a3a0e-6f0a-4f0e-8f5c-3a7f3d1c2b4a";
/** The id of the session in the examples. */
export const sessionId = "vOnLbl3wKpGhDkQmT0mYhw";
const token = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl";
const refreshToken = "mX1r0VwW7cN0lqk0S8tB4yZ5u9aJ2dEfGhIjKlMnOpQ";
/** When the examples happen. Epoch seconds. */
export const createdAt = 1_800_000_000;

/** A session as its user sees it. */
export const summary = {
  sessionId: text("Names the session in `DELETE /auth/sessions/{sessionId}`."),
  createdAt: time("When the user logged in."),
  renewedAt: { ...time("When it was last renewed; null: never."), type: ["integer", "null"] },
  expiresAt: time("When it ends unless it is renewed before."),
  userAgent: { type: ["string", "null"], description: "The browser at login." },
  ip: { type: ["string", "null"], description: "The network address at login." },
  isDeviceBound: { type: "boolean", description: "Whether only the browser of its login can renew it." },
};
/** An example of it. */
export const summaryExample = {
  sessionId,
  createdAt,
  renewedAt: createdAt + 840,
  expiresAt: createdAt + 87_240,
  userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
  ip: "192.0.2.7",
  isDeviceBound: false,
};

/** A passkey as its owner sees it. */
export const passkeySchema = object({
  passkeyId: text("Names the passkey here."),
  credentialId: text("Names it in browsers."),
  name: text("As its owner calls it."),
  createdAt: time("When it was added."),
  lastUsedAt: { ...time("When it last opened a session; null: never."), type: ["integer", "null"] },
  isBackedUp: {
    type: "boolean",
    description: "Whether a copy is kept elsewhere. One that is not is gone with its device.",
  },
  transports: { type: "array", items: { type: "string" }, description: "How its authenticator is reached." },
  aaguid: text("The model of its authenticator, hex; zeros where it does not say."),
});

/** An identity at another provider as its owner sees it. */
export const identitySchema = object({
  identityId: text("Its name in the routes."),
  provider: { type: ["string", "null"], description: "The id of the provider." },
  email: { type: ["string", "null"], description: "The address that it had there when it was linked." },
  linkedAt: time("When it was linked."),
});

/** The claims of the team that runs the service, which are attributes of users, too. */
export const customMembers = map(customClaims, (schema, name) => ({
  ...toSchema(schema.wrapped),
  description: customClaimTexts[name as keyof CustomClaims],
}));
/** Those that not every user has. */
const optionalMembers = Object.keys(customClaims);
const optionalClaims = [...optionalMembers, "amr", "acr"];

/** The schema of a time, or of none. */
export const timeOrNull = (description: string): JsonSchema => ({
  ...time(description),
  type: ["integer", "null"],
});

/** What its owner and administrators are told of an account. */
export const accountMembers = {
  userId: formatted("uuid", "The user id."),
  email: formatted("idn-email", "The address."),
  emailVerifiedAt: timeOrNull("When the address was proven; null: never."),
  previousEmail: {
    type: ["string", "null"],
    description: "The address before the last change of it; null: there is none that is known.",
  },
  undoUntil: timeOrNull("Until when that one can undo the change; null: it cannot."),
  language: {
    type: ["string", "null"],
    description: "The language of mails to it; null: the first there is.",
  },
  createdAt: time("When the account was made."),
  passwordChangedAt: timeOrNull("When the password was changed; null: never."),
  totp: {
    type: ["object", "null"],
    properties: { confirmedAt: time("When the authenticator app was set up.") },
    required: ["confirmedAt"],
    description: "The second factor; null: there is none.",
  },
  recoveryCodesLeft: { type: "integer", minimum: 0, maximum: 10, description: "Codes not used yet." },
  lastChange: {
    ...toSchema(changeSchema),
    type: ["object", "null"],
    description: "The last change of the account; null also after a login that used up a code.",
  },
  hasPassword: { type: "boolean", description: "Whether a password opens the account." },
  passkeys: { type: "array", maxItems: 10, items: passkeySchema },
  ...customMembers,
};
/** Those that not every account has. */
export const optionalOfAccount = optionalMembers.filter((name) => name !== "roles");

/** Where a page of a list ends. */
export const nextCursor = {
  type: ["string", "null"],
  description: "For the next page; null: there is none.",
};

/** The claims that every access token has: one that is missing here does not compile. */
const registeredClaims: Record<Exclude<keyof AccessClaims, keyof CustomClaims>, JsonSchema> = {
  iss: formatted("uri", "Who issued the token."),
  aud: { type: ["string", "array"], items: { type: "string" }, description: "Whom it is for." },
  client_id: text("Through which client."),
  sub: formatted("uuid", "The user id."),
  sid: text("The session id."),
  email: formatted("idn-email", "The address at login."),
  auth_time: time("When the session began."),
  iat: time("When the token was issued."),
  exp: time("When it expires."),
  jti: text("Ties the token to its refresh token."),
  amr: {
    type: "array",
    items: { type: "string" },
    description: "How the user was proven (RFC 8176); absent where it was one factor alone.",
  },
  acr: text("`aal2` after a login with a second factor; absent otherwise."),
};

const doneMember = { msg: { type: "string", const: "success" } } as const;
const pairMembers = {
  ...doneMember,
  token: text("The access token, a JWT (RFC 9068)."),
  refreshToken: text("Its refresh token. Keep the two together."),
  expiresIn: { type: "integer", minimum: 0, description: "Seconds that the access token lives." },
} as const;
const device = `${sessionId}.0.20819.q83vEjRWeJCrze8SNFZ4kA`;
const newDevice = text("What recognises this client at later logins. It opens nothing.");
const deviceMember = {
  device: "With `Auth-Mode: bearer`: `device` of an earlier login; a browser has it in a cookie.",
};
export const callerMembers = {
  ...deviceMember,
  refreshToken: "Of a bearer client: the refresh token that is current. A browser has it in the cookie.",
};

const askedMembers = {
  challenge: text(
    "Comes back with the code. Keep it where this was asked; it opens nothing without the code.",
  ),
  codeBegins: {
    type: "string",
    pattern: "^[0-9A-HJKMNP-TV-Z]$",
    description: "The first character of the code: show it, since somebody may have several mails.",
  },
  expiresIn: { type: "integer", minimum: 1, description: "Seconds that the code is good." },
};
const askedExample = { challenge, codeBegins: "K", expiresIn: 3600 };
const askedPassword = `${knownPassword} Left out where the account has none, or with \`passkey\`.`;
/** What proves the user of a live session once more, beside the password. */
const proofMembers = {
  ...otpMember,
  passkey:
    "What the browser answered to the challenge of `POST /auth/login/challenge`: in place of password and `otp`.",
  ...callerMembers,
};

/** Every schema of the description by its name. Request bodies come from lib/http/schemas.ts. */
export const createSchemas = (settings: { passwordMinLength: number }) =>
  ({
    Registration: {
      schema: bodySchema(createRegisterBody(settings), {
        email: `${address} Where mail is on, in ASCII before the @.`,
        password: newPassword,
      }),
      example: { email, password },
    },
    Credentials: {
      schema: bodySchema(loginBody, {
        email: address,
        password: knownPassword,
        ...otpMember,
        ...deviceMember,
      }),
      example: { email, password },
    },
    PasskeyLogin: {
      schema: bodySchema(passkeyLoginBody, {
        passkey: "What the browser answered to the challenge: `AuthenticationResponseJSON`.",
        ...deviceMember,
      }),
      example: {
        passkey: {
          ...{ id: "9x85HbTJsv3g6nAYnLo_tg", rawId: "9x85HbTJsv3g6nAYnLo_tg", type: "public-key" },
          response: {
            clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
            authenticatorData: "v6vDdDKViwYzYNOtZGHJxHNa5_jt1GWSpeDwFFKy5LUZAAAAAA",
            signature: "MEUCIQD1Ck4uRAkknEqFO6NhKC8JhB303Q",
            userHandle: "NWUwYTNhMGUtNmYwYS00ZjBlLThmNWMtM2E3ZjNkMWMyYjRh",
          },
        },
      },
    },
    PasswordChange: {
      schema: bodySchema(createChangePasswordBody(settings), {
        currentPassword: askedPassword,
        newPassword,
        ...proofMembers,
      }),
      example: { currentPassword: password, newPassword: "another long and private sentence" },
    },
    UserProof: {
      schema: bodySchema(proofBody, { password: askedPassword, ...proofMembers }),
      example: { password },
    },
    CallerPair: {
      schema: bodySchema(callerBody, callerMembers),
      example: { refreshToken },
    },
    TotpConfirmation: {
      schema: bodySchema(totpConfirmationBody, {
        enrolment: "As it was answered to `POST /auth/totp`, ten minutes ago at most.",
        otp: "The six digits that the app shows.",
        ...callerMembers,
      }),
      example: { enrolment, otp: "287082" },
    },
    Enrolment: {
      schema: object({
        enrolment: text("Comes back with the first code."),
        secret: text("What the app is to know, in base32: for whoever cannot scan."),
        uri: text("The same for a QR code."),
      }),
      example: {
        enrolment,
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        uri: "otpauth://totp/auth.example.com:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=auth.example.com",
      },
    },
    RecoveryCodes: {
      schema: object({
        recoveryCodes: {
          type: "array",
          minItems: 10,
          maxItems: 10,
          items: { type: "string", pattern: "^[a-z2-7]{4}(-[a-z2-7]{4}){3}$" },
          description: "In place of a code of the app. Show them once.",
        },
      }),
      example: {
        recoveryCodes: Array.from({ length: 10 }, (_, place) => `abcd-efgh-ijkl-mno${"abcdefghij"[place]}`),
      },
    },
    CodeRequest: {
      schema: bodySchema(emailBody, { email: address }),
      example: { email },
    },
    PasswordReset: {
      schema: bodySchema(createResetPasswordBody(settings), {
        ...proof,
        newPassword,
        otp: "A code of the second factor: only if it is asked for, since the address was never proven.",
      }),
      example: { challenge, code: "K4M-XQ2-T9W", newPassword: "another long and private sentence" },
    },
    PasswordRecovery: {
      schema: bodySchema(createRecoveryBody(settings), {
        token: "From the link in the mail that an operator has begun it with.",
        newPassword,
        otp: "A code of the second factor: only if it is asked for, since the address was never proven.",
      }),
      example: { token: challenge, newPassword: "another long and private sentence" },
    },
    RegistrationConfirmation: {
      schema: bodySchema(createConfirmRegistrationBody(settings), {
        ...proof,
        password: newPassword,
        passkey:
          "In place of the password: what the browser answered to the `passkey` of the request for the code (`RegistrationResponseJSON`).",
      }),
      example: { challenge, code: "K4M-XQ2-T9W", password },
    },
    CodeLogin: {
      schema: bodySchema(loginCodeBody, { ...proof, ...otpMember, ...deviceMember }),
      example: { challenge, code: "K4M-XQ2-T9W" },
    },
    EmailChange: {
      schema: bodySchema(emailChangeBody, {
        newEmail: "Where the code goes, in any case: in ASCII before the @.",
        password: askedPassword,
        ...proofMembers,
      }),
      example: { newEmail: "ada@example.org", password },
    },
    EmailConfirmation: {
      schema: bodySchema(emailConfirmationBody, {
        ...proof,
        ...callerMembers,
      }),
      example: { challenge, code: "K4M-XQ2-T9W" },
    },
    EmailUndoing: {
      schema: bodySchema(createUndoEmailChangeBody(settings), {
        token: "From the link in the mail that told of the change.",
        newPassword,
      }),
      example: { token: challenge, newPassword: "another long and private sentence" },
    },
    InvitationAcceptance: {
      schema: bodySchema(createAcceptInvitationBody(settings), {
        token: "From the link in the mail that invites.",
        password: newPassword,
      }),
      example: { token: challenge, password },
    },
    CodeAsked: { schema: object(askedMembers), example: askedExample },
    RegistrationAsked: {
      schema: object(
        {
          ...askedMembers,
          passkey: {
            type: "object",
            description:
              "What the browser makes a passkey by, in place of a password (`PublicKeyCredentialCreationOptionsJSON`): good for as long as the code. Where there are no passkeys it is left out.",
            additionalProperties: true,
          },
        },
        { optional: ["passkey"] },
      ),
      example: askedExample,
    },
    PresentedPair: {
      schema: {
        ...object({
          token: text("The access token, expired or not."),
          refreshToken: text("The one issued with it."),
        }),
        additionalProperties: false,
        description: "Read only with `Auth-Mode: bearer`.",
      },
      example: { token, refreshToken },
    },
    Done: { schema: object(doneMember), example: { msg: "success" } },
    Pair: {
      schema: object(pairMembers),
      example: { msg: "success", token, refreshToken, expiresIn: 900 },
    },
    OpenedPair: {
      schema: object({ ...pairMembers, device: newDevice }),
      example: { msg: "success", token, refreshToken, expiresIn: 900, device },
    },
    ChangedEmail: {
      schema: object({
        ...doneMember,
        email: formatted("idn-email", "The address that the account has now."),
      }),
      example: { msg: "success", email: "ada@example.org" },
    },
    ChangedEmailPair: {
      schema: object({
        ...pairMembers,
        device: newDevice,
        email: formatted("idn-email", "The address that the account has now."),
      }),
      example: { msg: "success", token, refreshToken, expiresIn: 900, device, email: "ada@example.org" },
    },
    DoneWithDevice: {
      schema: object({ ...doneMember, device: newDevice }),
      example: { msg: "success", device },
    },
    NewAccount: {
      schema: object({
        userId: formatted("uuid", "Random, and never another's."),
        email: formatted("idn-email", "As it is stored."),
      }),
      example: { userId, email },
    },
    Claims: {
      schema: {
        ...object(
          {
            ...registeredClaims,
            ...customMembers,
          },
          { optional: optionalClaims },
        ),
        additionalProperties: true,
        description: "The last are claims of the team that runs the service.",
      },
      example: {
        iss: "https://auth.example.com",
        aud: "api",
        client_id: "web",
        sub: userId,
        sid: sessionId,
        email,
        auth_time: createdAt,
        iat: createdAt,
        exp: createdAt + 900,
        jti: "Wl1N0b8r2QyT5kLw9ZxCvA",
      } satisfies AccessClaims,
    },
    SessionPage: {
      schema: object({
        sessions: {
          type: "array",
          maxItems: 100,
          items: object({
            ...summary,
            current: { type: "boolean", description: "Whether this request came from it." },
          }),
        },
        nextCursor,
      }),
      example: { sessions: [{ ...summaryExample, current: true }], nextCursor: null },
    },
    Account: {
      schema: object(
        {
          ...accountMembers,
          identities: { type: "array", maxItems: 10, items: identitySchema },
          sessions: { type: "array", maxItems: 1_000, items: object(summary) },
          sessionsLeftOut: { type: "integer", minimum: 0, description: "How many more sessions are stored." },
          changes: {
            type: "array",
            maxItems: 1_000,
            items: toSchema(auditRowSchema),
            description:
              "Changes of the account, the newest first. Only where the operator sends mail; a new one is there after some seconds.",
          },
          moreChanges: { type: "boolean", description: "Whether there are older ones." },
        },
        { optional: ["changes", "moreChanges", ...optionalOfAccount] },
      ),
      example: {
        ...{ userId, email, emailVerifiedAt: createdAt, previousEmail: null, undoUntil: null },
        ...{ language: "en", createdAt, passwordChangedAt: null, roles: [] },
        ...{ hasPassword: true, passkeys: [], identities: [] },
        ...{ totp: { confirmedAt: createdAt }, recoveryCodesLeft: 10 },
        lastChange: {
          ...{ id: "0c0e5f4e-3f0a-4c57-9a5a-0d9a4b1d6f5e", event: "user_created", by: "user", at: createdAt },
          ...{
            ip: "192.0.2.7",
            device: "Chrome on Windows",
            requestId: "b1f0a8c4-5d7e-4e43-8a58-1f3a0f0f2b77",
          },
        },
        ...{ sessions: [summaryExample], sessionsLeftOut: 0, changes: [], moreChanges: false },
      },
    },
    JwkSet: {
      schema: object({
        keys: {
          type: "array",
          items: object(
            {
              kty: text("The kind of key."),
              crv: text("Its curve."),
              x: text("A coordinate."),
              y: text("A coordinate."),
              n: text("The modulus of an RSA key."),
              e: text("Its exponent."),
              kid: text("The name that tokens call it by."),
              alg: { type: "string", enum: ["EdDSA", "ES256", "RS256"] },
              use: { type: "string", const: "sig" },
            },
            { optional: ["crv", "x", "y", "n", "e"] },
          ),
        },
      }),
      example: {
        keys: [
          {
            kty: "OKP",
            crv: "Ed25519",
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            kid: "2027-01",
            alg: "EdDSA",
            use: "sig",
          },
        ],
      },
    },
    Metadata: {
      schema: object({
        issuer: formatted("uri", "`iss` of the tokens."),
        jwks_uri: formatted("uri", "Where the public keys are."),
        response_types_supported: { type: "array", items: { type: "string" } },
        subject_types_supported: { type: "array", items: { type: "string" } },
        id_token_signing_alg_values_supported: { type: "array", items: { type: "string" } },
        claims_supported: { type: "array", items: { type: "string" } },
      }),
      example: {
        issuer: "https://auth.example.com",
        jwks_uri: "https://auth.example.com/.well-known/jwks.json",
        response_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
        claims_supported: claimNames,
      },
    },
    Description: {
      schema: {
        ...object({
          openapi: { type: "string", const: "3.1.1" },
          info: { type: "object" },
          paths: { type: "object" },
        }),
        additionalProperties: true,
      },
      example: { openapi: "3.1.1", info: {}, paths: {} },
    },
    Page: { schema: { type: "string" }, example: "<!doctype html>" },
    Problem: {
      schema: {
        ...object(
          {
            type: formatted("uri", "`urn:problem:` and the code."),
            title: text("The same for every problem of this code."),
            status: { type: "integer", description: "The HTTP status." },
            detail: text("What is wrong, and what to do."),
            instance: text("The request id, under which the log knows more."),
            code: { type: "string", enum: Object.keys(problems), description: "Stable: decide by this." },
            errors: {
              type: "array",
              minItems: 1,
              items: object({
                pointer: text("The member of the body: a JSON Pointer (RFC 6901) after `#`."),
                detail: text("What it must be."),
              }),
            },
          },
          { optional: ["detail", "errors"] },
        ),
        description: "A problem document (RFC 9457).",
      },
      example: undefined,
    },
  }) satisfies Record<string, Component>;
