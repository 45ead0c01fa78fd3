import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type HttpApiEvent, listRoutes, listTables } from "../../build/service-plugin.ts";
import type { StreamEvent } from "../../local/stream-consumer.ts";
import type { Resources } from "../../local/tables.ts";
import { slsSync } from "./sls.ts";

const file = ".local/test/service.json";

/** What is only there with a switch (build/switches.ts) is there. */
export const everySwitch = {
  ...{ MAIL_FROM: "auth@example.com", EMAIL_LOGIN: "on", PASSKEY_RP_ID: "localhost" },
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "google", clientId: "web", redirectUris: ["https://app.example.com/signed-in/google"] },
  ]),
  ...{ OPERATOR_POLICIES: "on", ADMIN_API: "on", EVENT_BUS_NAME: "accounts" },
  DEVICE_BOUND_SESSIONS: "on",
};
/** Of the functions that register a deployment has those of one of these. */
export const registrations = ["verified", "open", "closed"];

/** What serverless.yml and the files that it lists declare. */
export interface Declared {
  functions: Record<string, DeclaredFunction>;
  /** The names of those that a deployment has, by its REGISTRATION: of several functions of a route it has one. */
  deployed: Record<string, string[]>;
  resources: { Resources: Resources };
  provider: { memorySize: number };
}

/** A function as its functions.yml has it. */
export interface DeclaredFunction {
  handler: string;
  runtime?: string;
  memorySize?: number;
  throttling?: { rate: number; burst: number };
  events?: { httpApi?: HttpApiEvent; stream?: StreamEvent }[];
  iamRoleStatements?: { Action: string | string[]; Resource: unknown }[];
}

if (isStale()) {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  const printed = registrations.map(
    (REGISTRATION): Omit<Declared, "deployed"> =>
      JSON.parse(
        slsSync(["print", "--stage", "test", "--format", "json"], { env: { ...everySwitch, REGISTRATION } }),
      ),
  );
  const functions = Object.assign({}, ...printed.map((each) => each.functions));
  const deployed = Object.fromEntries(
    printed.map((each, index) => [registrations[index], Object.keys(each.functions)]),
  );
  writeFileSync(file, JSON.stringify({ ...printed[0], functions, deployed }));
}

/** `sls print` takes two seconds: what it says is kept for all tests, until a source of it changes. */
function isStale(): boolean {
  if (!existsSync(file)) return true;
  const sources = globSync(
    "{serverless.yml,{functions,lib,own}/**/*.yml,build/**/*,tests/support/declared.ts}",
  );
  return sources.some((source) => statSync(source).mtimeMs > statSync(file).mtimeMs);
}

/** What is declared, for stage `test`. */
export const declared: Declared = JSON.parse(readFileSync(file, "utf8"));

/** Answers whether a function is ours to bundle and to call; another language has tests of its own. */
export const runsOnNode = ({ runtime = "nodejs" }: Pick<DeclaredFunction, "runtime">): boolean =>
  runtime.startsWith("nodejs");

export const functionNames = Object.keys(declared.functions).filter((name) =>
  runsOnNode(declared.functions[name] as DeclaredFunction),
);

/** A function's file without its ending, from its name: `functions/session/list`. */
export const pathOf = (name: string): string =>
  declared.functions[name]?.handler.replace(/\.handler$/, "") ?? `functions/${name}`;

/** The variables that functions read the names of tables from. */
export const tableSettings = listTables(declared.resources.Resources);

/** The routes of a stage without the demo page. */
export const routesWithoutPage = listOnce(
  Object.fromEntries(Object.entries(declared.functions).filter(([name]) => name !== "page")),
);

/** Answers whether a function is one that a team has added: this project's documents do not name it. */
export const isOwn = ({ handler }: Pick<DeclaredFunction, "handler">): boolean =>
  handler.startsWith("functions/own/");

/** The variables of the tables in own/resources.yml. */
export const ownTableVariables = Object.keys(
  listTables(
    Object.fromEntries(
      [...readFileSync("own/resources.yml", "utf8").matchAll(/^ {2}(\w+):/gm)].map(([, id = ""]) => [
        id,
        { Type: "AWS::DynamoDB::Table" },
      ]),
    ),
  ),
);

/** The routes that this project's documents name. */
export const documentedRoutes = listOnce(
  Object.fromEntries(Object.entries(declared.functions).filter(([, each]) => !isOwn(each))),
);

/** The routes of the gateway, but for its `$default`. */
export const gatewayRoutes = listOnce(declared.functions);

/** Of several functions of a route a deployment has one. */
function listOnce(functions: Declared["functions"]): string[] {
  return [...new Set(listRoutes(functions))];
}

/** What a table holds, by the logical id of its resource: `notes`, from `NotesTable`. */
export function toTable(id: string): string {
  return id.slice(0, 1).toLowerCase() + id.slice(1).replace(/Table$/, "");
}

/** A request to AWS: an operation and a table, `GetSecretValue` and a set of keys, or `SendEmail ses`. */
export type Permission = string;

/** What each function may do by its functions.yml. In the tests AWS refuses everything else. */
export const permissions: Record<string, Permission[]> = Object.fromEntries(
  Object.entries(declared.functions).map(([name, { iamRoleStatements = [] }]) => [
    name,
    iamRoleStatements.flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => toPermission(name, action, Resource)),
    ),
  ]),
);

/** What a managed policy allows, by its logical id. */
export function permissionsOfPolicy(id: string): Permission[] {
  const { PolicyDocument } = (declared.resources.Resources[id]?.Properties ?? {}) as {
    PolicyDocument?: { Statement: { Action: string | string[]; Resource: unknown }[] };
  };
  return (PolicyDocument?.Statement ?? []).flatMap(({ Action, Resource }) =>
    [Action].flat().map((action) => toPermission(id, action, Resource)),
  );
}

function toPermission(name: string, action: string, resource: unknown): Permission {
  const [service, operation = ""] = action.split(":");
  // As which sender is seen in the package.
  if (service === "ses") return `${operation} ses`;
  const { "Fn::GetAtt": table, "Fn::Sub": index } = resource as {
    "Fn::GetAtt"?: string[];
    "Fn::Sub"?: string;
  };
  const [, secret] =
    /:secret:\S+-((?:signing|hash|code|factor|provider)-keys)-\?{6}$/.exec(index ?? "") ?? [];
  if (service === "secretsmanager" && secret) return `${operation} ${secret}`;
  const id = table?.[0] ?? /^\$\{(\w+)\.Arn\}\/index\/[\w.-]+$/.exec(index ?? "")?.[1];
  if (!id)
    throw new TypeError(
      `${name} may ${action} on ${JSON.stringify(resource)}: name one table (!GetAtt NotesTable.Arn) or one index (!Sub "\${NotesTable.Arn}/index/byUser")`,
    );
  return `${operation} ${toTable(id)}`;
}
