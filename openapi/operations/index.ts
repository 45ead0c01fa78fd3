import type { Component } from "../schemas.ts";
import { account } from "./account.ts";
import { documents } from "./documents.ts";
import { login } from "./login.ts";
import type { Operation } from "./operation.ts";
import { password } from "./password.ts";
import { sample, sampleSchemas } from "./sample.ts";
import { session } from "./session.ts";

const all = { ...account, ...login, ...session, ...password, ...sample, ...documents };

/** The name of a described route: that of its function in functions.yml, or `docs` for the second one of `openapi`. */
export type OperationName = keyof typeof all;

/** Every described route. */
export const operations: Record<OperationName, Operation> = all;

/** The schemas that stand beside their routes. */
export const routeSchemas: Record<string, Component> = { ...sampleSchemas };
