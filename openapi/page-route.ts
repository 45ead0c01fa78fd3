import { getSchema } from "./document.ts";
import { code, escapeHtml, inline, sample, table, titled } from "./html.ts";
import type { Contract } from "./operations/index.ts";
import type { Answer, Operation } from "./operations/operation.ts";
import { type Parameter, parameters } from "./parameters.ts";
import { groupByStatus } from "./problems.ts";
import type { JsonSchema } from "./schemas.ts";

/** A route as headings and links name it. */
export function heading(route: string): string {
  const [method, path = ""] = route.split(" ");
  return `<code><b>${method}</b> ${escapeHtml(path)}</code>`;
}

/** All about one route, under a heading that has its name as id. */
export function createRoute([id, contract]: [string, Contract]): string {
  const { route, summary, description = "", needs = "none", bodies, isBodyOptional, answers } = contract;
  const bodyTitle = isBodyOptional ? "Request body, for bearer clients" : "Request body";
  return titled(3, id, heading(route), [
    `<p><strong>${escapeHtml(summary)}.</strong> ${inline(description)}</p>`,
    `<p>${credentials[needs]}</p>`,
    ...describeParameters(contract),
    ...(bodies.length > 0 ? [describeBody(bodyTitle, bodies)] : []),
    ...answers.flatMap(describeAnswer),
    describeRefusals(contract),
  ]);
}

const credentials: Record<NonNullable<Operation["needs"]> | "none", string> = {
  none: "Open to anybody.",
  token: "Needs the cookie or <code>Authorization: Bearer</code>.",
  pair: "Needs the cookie or a pair in the body.",
  "pair or token": "Needs the cookie or <code>Authorization: Bearer</code> or a pair in the body.",
};

function describeParameters({ parameters: names }: Contract): string[] {
  const rows = names?.map((key) => {
    const { name, in: place, description, required, schema }: Parameter = parameters[key];
    return [code(name), `${required ? "" : "optional "}${place}: ${typeOf(schema)}`, inline(description)];
  });
  return rows ? [table("Parameters", ["Name", "Value", "Meaning"], rows)] : [];
}

function describeBody(title: string, names: string[]): string {
  return names
    .map((name) => {
      const { schema, example } = getSchema(name);
      const members = listMembers(schema);
      const rows = members.length > 0 ? table(title, ["Member", "Value", "Meaning"], members) : "";
      return rows + sample(example);
    })
    .join("\n<p>or</p>\n");
}

function describeAnswer({ status, description, headers, schemas: names, mediaType }: Answer): string[] {
  const sent = headers ? ` Header: ${headers.map(code).join(", ")}.` : "";
  return [
    `<h4>Answer ${status}</h4>`,
    `<p>${inline(description)}${sent}</p>`,
    ...(names && !mediaType ? [describeBody("Response body", names)] : []),
  ];
}

function describeRefusals({ problems }: Contract): string {
  const rows = Object.entries(groupByStatus(problems)).map(([status, codes]) => {
    return [status, codes.map((name) => `<a href="#problem-${name}">${code(name)}</a>`).join(", ")];
  });
  return table("Refusals", ["Status", "Code"], rows);
}

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
function listMembers(schema: JsonSchema, path = ""): string[][] {
  const { properties = {}, required = [], items } = schema as Schema;
  if (items) return listMembers(items, `${path}[]`);
  return Object.entries(properties).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const optional = required.includes(name) ? "" : "optional; ";
    const { description = "" } = member as Schema;
    return [[code(at), optional + typeOf(member), inline(description)], ...listMembers(member, at)];
  });
}

/** Names what a value may be, in words. */
function typeOf(schema: JsonSchema): string {
  const { type = "text", const: only, items, minLength, maxLength, ...rest } = schema as Schema;
  const values = rest.enum ?? (only === undefined ? [] : [only]);
  if (values.length > 6) return "text";
  if (values.length > 0) return values.map((value) => code(String(value))).join(" or ");
  const name = [type].flat().map((word) => words[word] ?? word);
  const length = `, ${minLength ? `${minLength} to` : "at most"} ${maxLength} characters`;
  return `${name.join(" or ")}${items ? ` of ${typeOf(items)}s` : ""}${maxLength ? length : ""}`;
}

const words: Record<string, string> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
  array: "list",
};
