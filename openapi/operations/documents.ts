import type { Answer, Operation } from "./operation.ts";

const unchanged: Answer = {
  status: 304,
  description: "Nothing has changed since. There is no body.",
  headers: ["Cache-Control", "ETag"],
};

/** The routes of functions/documents/, by the names of their functions. */
export const documents = {
  jwks: {
    route: "GET /.well-known/jwks.json",
    tag: "Documents",
    summary: "The public keys",
    description: "A JWK set (RFC 7517): whoever verifies access tokens looks up the `kid` here.",
    answers: [
      {
        status: 200,
        description: "The keys.",
        schemas: ["JwkSet"],
        headers: ["Cache-Control"],
      },
    ],
    problems: [],
  },
  discovery: {
    route: "GET /.well-known/openid-configuration",
    tag: "Documents",
    summary: "The issuer's metadata",
    description:
      "What verifiers look for (OpenID Connect Discovery 1.0). The service issues no codes and no ID tokens.",
    answers: [
      { status: 200, description: "The metadata.", schemas: ["Metadata"], headers: ["Cache-Control"] },
    ],
    problems: [],
  },
  openapi: {
    route: "GET /openapi.json",
    tag: "Documents",
    summary: "This description",
    parameters: ["IfNoneMatch"],
    answers: [
      {
        status: 200,
        description: "An OpenAPI 3.1 document.",
        schemas: ["Description"],
        headers: ["Cache-Control", "ETag"],
      },
      unchanged,
    ],
    problems: [],
  },
  docs: {
    route: "GET /docs",
    tag: "Documents",
    summary: "This description as a page",
    parameters: ["IfNoneMatch"],
    answers: [
      {
        status: 200,
        description: "An HTML page.",
        schemas: ["Page"],
        mediaType: "text/html",
        headers: ["Cache-Control", "ETag"],
      },
      unchanged,
    ],
    problems: [],
  },
} satisfies Record<string, Operation>;
