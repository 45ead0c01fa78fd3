import type { Operation } from "../openapi/operations/operation.ts";
import type { Component } from "../openapi/schemas.ts";

// What `/openapi.json` says of the routes of functions/own/. No upgrade of this project touches this file (docs/upgrade.md).

/** The routes, by the names of their functions. */
export const ownOperations = {} satisfies Record<string, Operation>;

/** What they take and answer. */
export const ownSchemas = {} satisfies Record<string, Component>;
