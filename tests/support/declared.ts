import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { listRoutes, listTables } from "../../build/service-plugin.ts";
import type { Resources } from "../../local/tables.ts";
import { slsSync } from "./sls.ts";

const file = ".local/test/service.json";

/** What serverless.yml and the files that it lists declare. */
export interface Declared {
  functions: Record<string, DeclaredFunction>;
  resources: { Resources: Resources };
  provider: { memorySize: number };
}

/** A function as its functions.yml has it. */
export interface DeclaredFunction {
  handler: string;
  memorySize?: number;
  events?: { httpApi: string }[];
  iamRoleStatements: { Action: string | string[]; Resource: unknown }[];
}

if (isStale()) {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  writeFileSync(file, slsSync(["print", "--stage", "test", "--format", "json"]));
}

/** `sls print` takes two seconds: what it says is kept for all tests, until a source of it changes. */
function isStale(): boolean {
  if (!existsSync(file)) return true;
  const sources = globSync("{serverless.yml,{functions,lib}/**/*.yml,build/**/*}");
  return sources.some((source) => statSync(source).mtimeMs > statSync(file).mtimeMs);
}

/** What is declared, for stage `test`. */
export const declared: Declared = JSON.parse(readFileSync(file, "utf8"));

/** The names of all functions. */
export const functionNames = Object.keys(declared.functions);

/** A function's file without its ending, from its name: `functions/session/list`. */
export const pathOf = (name: string): string =>
  declared.functions[name]?.handler.replace(/\.handler$/, "") ?? `functions/${name}`;

/** The variables that functions read the names of tables from. */
export const tableSettings = listTables(declared.resources.Resources);

/** The routes of a stage without the demo page. */
export const routesWithoutPage = listRoutes(
  Object.fromEntries(Object.entries(declared.functions).filter(([name]) => name !== "page")),
);

/** The routes of the gateway, but for its `$default`. */
export const gatewayRoutes = listRoutes(declared.functions);

/** What a table holds, by the logical id of its resource. */
export function toTable(id: string): string {
  return id.slice(0, 1).toLowerCase() + id.slice(1).replace(/Table$/, "");
}

/** A request to AWS: an operation and a table, or `GetSecretValue` for the signing keys. */
export type Permission = string;

/**
 * All that each function may do besides writing its own logs, by its statements in functions.yml. In the tests AWS
 * refuses everything else, and what no test has seen used is too much (tests/deployment/packaging.test.ts).
 */
export const permissions: Record<string, Permission[]> = Object.fromEntries(
  Object.entries(declared.functions).map(([name, { iamRoleStatements }]) => [
    name,
    iamRoleStatements.flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => toPermission(action, Resource)),
    ),
  ]),
);

function toPermission(action: string, resource: unknown): Permission {
  const [service, operation = ""] = action.split(":");
  if (service !== "dynamodb") return operation;
  const [id = ""] = (resource as { "Fn::GetAtt": string[] })["Fn::GetAtt"];
  return `${operation} ${toTable(id)}`;
}
