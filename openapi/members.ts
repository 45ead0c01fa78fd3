import { escapeHtml, inline } from "./html.ts";
import type { JsonSchema } from "./schemas.ts";

interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  description?: string;
  minLength?: unknown;
  maxLength?: unknown;
}

/** Rows of a table that names every member of a schema, those of nested objects by their path. */
export function listMembers(schema: JsonSchema, path = ""): string[][] {
  const { properties, required = [], items } = schema as Schema;
  if (items) return listMembers(items, `${path}[]`);
  return Object.entries(properties ?? {}).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const { description = "" } = member as Schema;
    const optional = required.includes(name) ? "" : "optional; ";
    return [
      [`<code>${escapeHtml(at)}</code>`, optional + typeOf(member), inline(description)],
      ...listMembers(member, at),
    ];
  });
}

/** Names what a value may be, in words. */
export function typeOf(schema: JsonSchema): string {
  const { type, const: only, enum: values, items, minLength, maxLength } = schema as Schema;
  const fixed = values ?? (only === undefined ? [] : [only]);
  if (fixed.length > 6) return "text";
  if (fixed.length > 0) return fixed.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(" or ");
  const name = [type ?? "text"].flat().map((word) => words[word] ?? word);
  const length = lengthOf(minLength, maxLength);
  return `${name.join(" or ")}${items ? ` of ${typeOf(items)}s` : ""}${length}`;
}

const words: Record<string, string> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
  array: "list",
};

function lengthOf(min: unknown, max: unknown): string {
  if (max === undefined) return "";
  return min === undefined ? `, at most ${max} characters` : `, ${min} to ${max} characters`;
}
