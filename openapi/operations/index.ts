import { ownOperations, ownSchemas } from "../../own/operations.ts";
import type { Component } from "../schemas.ts";
import { account } from "./account.ts";
import { admin, adminSchemas } from "./admin.ts";
import { documents } from "./documents.ts";
import { email } from "./email.ts";
import { external, externalSchemas } from "./external.ts";
import { identities, identitySchemas } from "./identities.ts";
import { login } from "./login.ts";
import { type Operation, tags } from "./operation.ts";
import { passkeySchemas, passkeys } from "./passkeys.ts";
import { password } from "./password.ts";
import { sample, sampleSchemas } from "./sample.ts";
import { session, sessionSchemas } from "./session.ts";
import { totp } from "./totp.ts";

const all = {
  ...account,
  ...login,
  ...session,
  ...password,
  ...email,
  ...totp,
  ...passkeys,
  ...external,
  ...identities,
  ...admin,
  ...sample,
  ...documents,
  ...ownOperations,
};

/** The name of a described route: that of its function in functions.yml, or `docs` for the second one of `openapi`. */
export type OperationName = keyof typeof all;

/** What every function with a described route does. */
export const operations: Record<OperationName, Operation> = all;

/** A route as its callers see it. */
export interface Contract extends Omit<Operation, "body"> {
  /** The names of the schemas that its body may have; none: no body. */
  bodies: string[];
  isBodyOptional: boolean;
  bodyType: string;
}

/** Every described route by the name of its first function: of several functions of a route a deployment has one. */
export const contracts: Record<string, Contract> = Object.fromEntries(
  Object.entries<Operation>(all).flatMap(([name, { body, ...first }]) => {
    const [own, ...others] = Object.entries<Operation>(all).filter(([, { route }]) => route === first.route);
    if (own?.[0] !== name) return [];
    const every = [own, ...others].map(([, each]) => each);
    const contract: Contract = {
      ...first,
      description: every.flatMap(({ description = [] }) => description).join("\n\n"),
      bodies: every.flatMap((each) =>
        each.body ? [each.body.schema, ...(each.body.orSchema ? [each.body.orSchema] : [])] : [],
      ),
      isBodyOptional: body?.isOptional ?? false,
      bodyType: body?.mediaType ?? "application/json",
      answers: every.flatMap(({ answers }) => answers),
      problems: [...new Set(every.flatMap(({ problems }) => problems))],
    };
    return [[name, contract]];
  }),
);

/** The groups of routes that there are, and what each is about. */
export const groups = Object.entries(tags).filter(([name]) =>
  Object.values<Operation>(all).some(({ tag }) => tag === name),
);

/** The schemas that stand beside their routes. */
export const routeSchemas: Record<string, Component> = {
  ...passkeySchemas,
  ...externalSchemas,
  ...identitySchemas,
  ...adminSchemas,
  ...sessionSchemas,
  ...sampleSchemas,
  ...ownSchemas,
};
