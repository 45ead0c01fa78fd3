import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { type Permission, permissions } from "./declared.ts";

const folder = ".local/test/permissions";
const used = new Set<string>();
const refused = new Set<string>();

/** Answers whether a function may send a request, and notes that it did. */
export function usePermission(route: string, permission: Permission): boolean {
  const isAllowed = permissions[route]?.includes(permission) ?? false;
  // A table that is not there is what an outage is like, not a statement that was forgotten.
  const isKnown = !permission.endsWith(" undefined");
  if (isAllowed) used.add(`${route}: ${permission}`);
  else if (isKnown) refused.add(`${route}: ${permission}`);
  return isAllowed;
}

/** What functions were seen to send in the last run of all integration tests: `login: PutItem sessions`. Undefined if there was none. */
export function findUsed(): string[] | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return [...new Set(files.flatMap((text) => text.split("\n")))].sort();
}

afterAll(() => {
  if (refused.size > 0)
    throw new Error(`iamRoleStatements of the functions.yml do not allow ${[...refused].join(", ")}`);
  // The folder is there if all integration tests run (tests/global-setup.ts).
  if (used.size > 0 && existsSync(folder)) writeFileSync(join(folder, randomUUID()), [...used].join("\n"));
});
