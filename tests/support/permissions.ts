import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import type { RouteName } from "./event.ts";

/** A request to AWS: an operation and a table, or `GetSecretValue` for the signing keys. */
export type Permission = string;

const countsAttempts = ["UpdateItem attempts", "PutItem attempts", "DeleteItem attempts"];
const sweeps = ["Query sessions", "BatchWriteItem sessions"];

/**
 * All that each function may do besides writing its own logs; one that is not listed may do nothing. The template is
 * compared with it (tests/deployment/packaging.test.ts), and in the tests AWS refuses everything else.
 */
export const permissions: Partial<Record<RouteName, Permission[]>> = {
  register: ["PutItem users", "UpdateItem attempts", "GetSecretValue"],
  login: [
    "GetItem users",
    "UpdateItem users",
    "PutItem sessions",
    "DeleteItem sessions",
    ...sweeps,
    ...countsAttempts,
    "GetSecretValue",
  ],
  refresh: ["UpdateItem sessions", "DeleteItem sessions", "GetSecretValue"],
  logout: ["DeleteItem sessions"],
  "list-sessions": ["Query sessions"],
  "revoke-session": ["DeleteItem sessions"],
  "revoke-all-sessions": ["UpdateItem users", "GetItem users", ...sweeps, "GetItem sessions"],
  "change-password": [
    "GetItem users",
    "UpdateItem users",
    "GetItem sessions",
    ...sweeps,
    ...countsAttempts,
    "GetSecretValue",
  ],
  "export-account": ["GetItem users", "Query sessions"],
  "delete-account": [
    "GetItem users",
    "UpdateItem users",
    "DeleteItem users",
    "GetItem sessions",
    ...sweeps,
    ...countsAttempts,
    "GetSecretValue",
  ],
};

const folder = ".local/test/permissions";
const used = new Set<string>();

/** Answers whether a function may send a request, and notes that it did. */
export function usePermission(route: string, permission: Permission): boolean {
  const isAllowed = permissions[route as RouteName]?.includes(permission) ?? false;
  if (isAllowed) used.add(`${route}: ${permission}`);
  return isAllowed;
}

/** What functions were seen to send in the last run of all integration tests: `login: PutItem sessions`. Undefined if there was none. */
export function findUsed(): string[] | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return [...new Set(files.flatMap((text) => text.split("\n")))].sort();
}

// The folder is there if all integration tests run (tests/global-setup.ts).
afterAll(() => {
  if (used.size > 0 && existsSync(folder)) writeFileSync(join(folder, randomUUID()), [...used].join("\n"));
});
