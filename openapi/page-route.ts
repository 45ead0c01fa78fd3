import { escapeHtml, inline, sample, table } from "./html.ts";
import { listMembers, typeOf } from "./members.ts";
import {
  type Content,
  type Document,
  find,
  type Operation,
  type Parameter,
  type Ref,
  type Response,
} from "./reading.ts";
import type { JsonSchema } from "./schemas.ts";

/** A route with where it is. */
export type Route = Operation & { method: string; path: string };

/** A route as headings and links name it. */
export const heading = ({ method, path }: { method: string; path: string }) =>
  `<code><b>${method}</b> ${escapeHtml(path)}</code>`;

/** All about one route, under a heading that has its name as id. */
export function createRoute(route: Route, document: Document): string {
  const { operationId: id, summary, description, parameters = [], requestBody, responses } = route;
  const rows = parameters.map((parameter) => describeParameter(find<Parameter>(document, parameter)));
  return [
    `<article aria-labelledby="${id}">`,
    `<h3 id="${id}">${heading(route)}</h3>`,
    `<p><strong>${escapeHtml(summary)}.</strong> ${inline(description ?? "")}</p>`,
    `<p>${needs(route.security)}</p>`,
    table("Parameters", ["Name", "Value", "Meaning"], rows),
    ...Object.values(requestBody?.content ?? {}).map((content) =>
      describeContent(
        requestBody?.required ? "Request body" : "Request body, for bearer clients",
        content,
        document,
      ),
    ),
    ...Object.entries(responses).map(([status, response]) =>
      describeSuccess(status, find<Response>(document, response), document),
    ),
    describeRefusals(responses, document),
    "</article>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function needs(security: Record<string, []>[]): string {
  const kinds = security.flatMap(Object.keys).map((kind) => credentials[kind] ?? kind);
  if (kinds.length === 0) return "Open to anybody.";
  const isPair = security.some((kind) => Object.keys(kind).length === 0);
  return `Needs ${[...kinds, ...(isPair ? ["a pair in the body"] : [])].join(" or ")}.`;
}

const credentials: Record<string, string> = {
  cookie: "the cookie",
  bearer: "<code>Authorization: Bearer</code>",
};

function describeParameter({ name, in: place, description, required, schema }: Parameter): string[] {
  return [
    `<code>${escapeHtml(name)}</code>`,
    `${required ? "" : "optional "}${place}: ${typeOf(schema)}`,
    inline(description),
  ];
}

function describeContent(title: string, { schema, example, examples }: Content, document: Document): string {
  const schemas = (schema.anyOf as Ref[] | undefined) ?? [schema as Ref];
  const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
  return schemas
    .map((each, index) => {
      const members = listMembers(find<JsonSchema>(document, each));
      return table(title, ["Member", "Value", "Meaning"], members) + sample(values[index]);
    })
    .join(`\n<p>or</p>\n`);
}

function describeSuccess(status: string, { description, headers, content }: Response, document: Document) {
  if (Number(status) >= 400) return "";
  const names = Object.keys(headers ?? {}).map((name) => `<code>${name}</code>`);
  return [
    `<h4>Answer ${status}</h4>`,
    `<p>${inline(description)}${names.length > 0 ? ` Header: ${names.join(", ")}.` : ""}</p>`,
    ...Object.entries(content ?? {}).map(([type, each]) =>
      type === "text/html" ? "" : describeContent("Response body", each, document),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function describeRefusals(responses: Operation["responses"], document: Document): string {
  const rows = Object.entries(responses)
    .filter(([status]) => Number(status) >= 400)
    .map(([status, response]) => {
      const { content = {} } = find<Response>(document, response);
      const codes = Object.values(content).flatMap(({ examples = {} }) => Object.keys(examples));
      return [status, codes.map((code) => `<a href="#problem-${code}"><code>${code}</code></a>`).join(", ")];
    });
  return table("Refusals", ["Status", "Code"], rows);
}
