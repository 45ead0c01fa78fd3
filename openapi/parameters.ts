import { idempotencyKey } from "../lib/http/idempotency-key.ts";
import { type JsonSchema, sessionId } from "./schemas.ts";

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
  SessionId: {
    name: "sessionId",
    in: "path",
    required: true,
    description: "From the list of sessions.",
    schema: { type: "string", pattern: "^[\\w\\-]{1,64}$" },
    example: sessionId,
  },
  Cursor: {
    name: "cursor",
    in: "query",
    description: "`nextCursor` of the page before.",
    schema: { type: "string", pattern: "^[\\w\\-]{1,64}$" },
    example: sessionId,
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
