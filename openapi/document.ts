import { type ProblemCode, problems } from "../lib/errors.ts";
import { type HeaderName, headers, headersOfProblem, problemHeaders } from "./headers.ts";
import { type Contract, contracts, groups, routeSchemas } from "./operations/index.ts";
import type { Operation } from "./operations/operation.ts";
import { parameters } from "./parameters.ts";
import { createProblemExample, groupByStatus, problemTexts } from "./problems.ts";
import { chapters, introduction, title } from "./prose.ts";
import { type Component, createSchemas } from "./schemas.ts";

/** What a deployment decides about its contract; lib/http/description.ts puts it in when a function starts. */
export const placeholders = {
  cookieName: "{cookieName}",
  passwordMinLength: "{passwordMinLength}",
  issuer: "{issuer}",
};

const schemas: Record<string, Component> = {
  ...createSchemas({
    // The schemas only carry it along into the description.
    passwordMinLength: placeholders.passwordMinLength as unknown as number,
  }),
  ...routeSchemas,
};

/** The schema of this name. Throws Error if there is none. */
export function getSchema(name: string): Component {
  const found = schemas[name];
  if (!found)
    throw new Error(
      `openapi: there is no schema ${name}; add it beside its route, as Movies stands in sample.ts`,
    );
  return found;
}
const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const codes = Object.keys(problems) as ProblemCode[];

/** The OpenAPI 3.1 description of every route, with placeholders for what a deployment decides. */
export function createDocument({ version }: { version: string }) {
  return {
    openapi: "3.1.1",
    info: {
      title,
      version,
      summary: introduction,
      description: chapters
        .map(({ title, paragraphs }) => [`## ${title}`, ...paragraphs].join("\n\n"))
        .join("\n\n"),
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      { url: placeholders.issuer, description: "This deployment, by its own name." },
      { url: "/", description: "Where this description was read." },
    ],
    tags: groups.map(([name, description]) => ({ name, description })),
    paths: createPaths(),
    components: {
      schemas: map(schemas, ({ schema }) => schema),
      parameters: map(parameters, (parameter) => parameter),
      headers: map(headers, (header) => header),
      responses: Object.fromEntries(codes.map((code) => [code, createProblemResponse([code])])),
      examples: Object.fromEntries(
        codes.map((code) => {
          const { meaning, remedy } = problemTexts[code];
          const description = `${meaning}\n\nWhat to do: ${remedy}`;
          return [code, { summary: problems[code].title, description, value: createProblemExample(code) }];
        }),
      ),
      securitySchemes: {
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: placeholders.cookieName,
          description: `What login and refresh set: URL-encoded JSON with the access token and its refresh token. ${oneKind}`,
        },
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: `The access token. ${oneKind}`,
        },
      },
    },
  };
}

/** Generators that fill in every scheme they know would send both. */
const oneKind =
  "Send the cookie or the `Authorization` header, never both: a request with both is a 400 `conflicting_credentials`. In a generated client configure one of the schemes.";

function createPaths() {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries(contracts)) {
    const [method = "", path = ""] = operation.route.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: createOperation(name, operation) };
  }
  return paths;
}

/** Credentials that a route takes; `{}` is none, or a pair in the body. */
const security = {
  none: [],
  token: [{ cookie: [] }, { bearer: [] }],
  pair: [{ cookie: [] }, {}],
  "pair or token": [{ cookie: [] }, { bearer: [] }, {}],
};

function createOperation(name: string, contract: Contract) {
  const { tag, summary, description, needs, bodies, isBodyOptional, bodyType, ...operation } = contract;
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: security[needs ?? "none"],
    ...(operation.parameters && { parameters: operation.parameters.map((at) => ref("parameters", at)) }),
    ...(bodies.length > 0 && {
      requestBody: { required: !isBodyOptional, content: { [bodyType]: content(bodies) } },
    }),
    responses: {
      ...Object.fromEntries(operation.answers.map((answer) => [answer.status, createAnswer(answer)])),
      ...createRefusals(operation.problems),
    },
  };
}

function createAnswer({
  description,
  schemas: names,
  mediaType,
  headers: sent,
}: Operation["answers"][number]) {
  return {
    description,
    ...(sent && { headers: refToHeaders(sent) }),
    ...(names && { content: { [mediaType ?? "application/json"]: content(names) } }),
  };
}

function content(names: string[]) {
  const [only = "Done", ...others] = names;
  if (others.length === 0) return { schema: ref("schemas", only), example: getSchema(only).example };
  return {
    schema: { anyOf: names.map((name) => ref("schemas", name)) },
    examples: Object.fromEntries(names.map((name) => [name, { value: getSchema(name).example }])),
  };
}

/** One response for each status, with the codes that this route answers with it. */
function createRefusals(possible: ProblemCode[]) {
  return map(groupByStatus(possible), ([only = "internal_error", ...others]) =>
    others.length === 0 ? ref("responses", only) : createProblemResponse([only, ...others]),
  );
}

function createProblemResponse(possible: ProblemCode[]) {
  const [first = "internal_error"] = possible;
  const sent = [problemHeaders[problems[first].status], ...possible.map((code) => headersOfProblem[code])];
  const names = sent.filter((name) => name !== undefined);
  return {
    description: possible.map((code) => problems[code].title).join("; "),
    ...(names.length > 0 && { headers: refToHeaders(names) }),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [ref("schemas", "Problem"), { properties: { code: { type: "string", enum: possible } } }],
        },
        examples: Object.fromEntries(possible.map((code) => [code, ref("examples", code)])),
      },
    },
  };
}

const refToHeaders = (names: HeaderName[]) =>
  Object.fromEntries(names.map((name) => [name, ref("headers", name)]));

function map<T, R>(record: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
