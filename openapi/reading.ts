import type { createDocument } from "./document.ts";
import type { JsonSchema } from "./schemas.ts";

/** What the page is made of. */
export type Document = ReturnType<typeof createDocument>;
/** A place in the components. */
export type Ref = { $ref: string };
/** A body: its schema and examples. */
export interface Content {
  schema: JsonSchema;
  example?: unknown;
  examples?: Record<string, { value?: unknown; $ref?: string }>;
}
/** An answer of a route. */
export interface Response {
  description: string;
  headers?: Record<string, Ref>;
  content?: Record<string, Content>;
}
/** A route, as the description has it. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, []>[];
  parameters?: Ref[];
  requestBody?: { required: boolean; content: Record<string, Content> };
  responses: Record<string, Response | Ref>;
}
/** A parameter of a route. */
export interface Parameter {
  name: string;
  in: string;
  description: string;
  required?: boolean;
  schema: JsonSchema;
}

/** Looks up what may stand elsewhere in the description. */
export function find<T>({ components }: Document, node: T | Ref): T {
  const { $ref } = node as Ref;
  if ($ref === undefined) return node as T;
  const [kind = "", name = ""] = $ref.split("/").slice(2);
  return (components as unknown as Record<string, Record<string, T>>)[kind]?.[name] as T;
}
