import { idempotencyKey } from "../lib/http/client-keys.ts";
import { type JsonSchema, sessionId, userId } from "./schemas.ts";

/** A parameter, as OpenAPI has it. */
export interface Parameter {
  name: string;
  in: "header" | "path" | "query";
  required?: boolean;
  description: string;
  schema: JsonSchema;
  example?: string;
}

/** Every parameter of the description, by the name that operations use. */
export const parameters = {
  AuthMode: {
    name: "Auth-Mode",
    in: "header",
    description: "The pair travels in bodies, not in the cookie.",
    schema: { type: "string", enum: ["bearer"] },
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Makes the repeat of a refresh provable. Random, shared by all tabs of a browser, not kept in a cookie; a repeat carries the same one. It may stand in double quotes.",
    schema: { type: "string", pattern: `^(?:${idempotencyKey}|"${idempotencyKey}")$` },
    example: "b1d8f7a2-4c3e-4f7b-9a6d-2e5c8b7f1a90",
  },
  IdempotencyKeyPrevious: {
    name: "Idempotency-Key-Previous",
    in: "header",
    description:
      "The client's `Idempotency-Key` before this one. Either proves a repeat: a browser that was killed may have an older cookie than its storage.",
    schema: { type: "string", pattern: `^(?:${idempotencyKey}|"${idempotencyKey}")$` },
    example: "0f4c1f57-6f0a-4a53-8c70-9a3e5b2d7c11",
  },
  SessionKey: {
    name: "Session-Key",
    in: "header",
    description:
      "32 random bytes that the client makes at login and keeps, never in a cookie. A session opened with one is renewed only with it.",
    schema: { type: "string", pattern: "^[\\w\\-]{42}[AEIMQUYcgkosw048]$" },
    example: "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs",
  },
  SessionId: {
    name: "sessionId",
    in: "path",
    required: true,
    description: "From the list of sessions.",
    schema: { type: "string", pattern: "^[\\w\\-]{1,64}$" },
    example: sessionId,
  },
  PasskeyId: {
    name: "passkeyId",
    in: "path",
    required: true,
    description: "From the list of passkeys.",
    schema: { type: "string", pattern: "^[\\w\\-]{22}$" },
    example: "q2Tn0p7mJxw3d9k8s5u1bA",
  },
  Provider: {
    name: "provider",
    in: "path",
    required: true,
    description: "From the list of providers.",
    schema: { type: "string", pattern: "^[a-z0-9\\-]{1,32}$" },
    example: "google",
  },
  IdentityId: {
    name: "identityId",
    in: "path",
    required: true,
    description: "From the list of identities.",
    schema: { type: "string", pattern: "^[\\w\\-]{43}$" },
    example: "q2Tn0p7mJxw3d9k8s5u1bAq2Tn0p7mJxw3d9k8s5u1b",
  },
  SecureSessionId: {
    name: "Sec-Secure-Session-Id",
    in: "header",
    description: "Browsers send it once they have bound a key: `auth`.",
    schema: { type: "string" },
  },
  SecureSessionResponse: {
    name: "Secure-Session-Response",
    in: "header",
    description:
      "A JWT of type `dbsc+jwt`, signed with ES256 by the browser's key: its `jti` is the challenge. The first one has the key in its header. Without it the answer says what to sign.",
    schema: { type: "string" },
  },
  Cursor: {
    name: "cursor",
    in: "query",
    description: "`nextCursor` of the page before.",
    schema: { type: "string", pattern: "^[\\w\\-]{1,64}$" },
    example: sessionId,
  },
  UserId: {
    name: "userId",
    in: "path",
    required: true,
    description: "From the list of users, or `sub` of a token.",
    schema: { type: "string", format: "uuid" },
    example: userId,
  },
  EmailQuery: {
    name: "email",
    in: "query",
    description: "The whole address, in any case. Nobody is found by a part of one.",
    schema: { type: "string", format: "idn-email" },
    example: "ada@example.com",
  },
  Except: {
    name: "except",
    in: "query",
    description: "This session goes on.",
    schema: { type: "string", enum: ["current"] },
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "The `ETag` of the copy that the client has.",
    schema: { type: "string" },
  },
} as const satisfies Record<string, Parameter>;

/** The name of a parameter. */
export type ParameterName = keyof typeof parameters;
