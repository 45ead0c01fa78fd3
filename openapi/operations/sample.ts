import type { Component } from "../schemas.ts";
import { knowsCaller, type Operation } from "./operation.ts";

/** The routes of functions/sample/, by the names of their functions. */
export const sample = {
  movies: {
    route: "GET /movies",
    tag: "Sample",
    summary: "A protected list",
    description: "The sample to copy for your own protected routes. No database is asked.",
    needs: "token",
    answers: [{ status: 200, description: "The list.", schemas: ["Movies"] }],
    problems: [...knowsCaller],
  },
} satisfies Record<string, Operation>;

/** What they answer. */
export const sampleSchemas = {
  Movies: { schema: { type: "array", items: { type: "string" } }, example: ["Avatar", "Avengers"] },
} satisfies Record<string, Component>;
