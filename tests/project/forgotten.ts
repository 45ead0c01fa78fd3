import { globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { toRoute } from "../../build/service-plugin.ts";
import { operations } from "../../openapi/operations/index.ts";
import {
  type DeclaredFunction,
  declared,
  isOwn,
  ownTableVariables,
  permissions,
  runsOnNode,
  tableSettings,
  toTable,
} from "../support/declared.ts";

// A thing is named where it is made; where something is still missing, this check names the file and what to add there.
// `npm test` runs it before the compiler, whose words would be about types.

/** What is compared. */
export interface Project {
  serverless: string;
  /** The documents that name routes and settings. */
  documents: string;
  /** Paths of functions.yml and table.yml files. */
  ymls: string[];
  /** Paths of functions. */
  files: string[];
  functions: Record<string, Pick<DeclaredFunction, "handler" | "runtime" | "events">>;
  /** What each function may do: `PutItem notes`. */
  permissions: Record<string, string[]>;
  /** What the declared tables hold: `notes`. */
  tables: string[];
  /** The variables that hold the names of tables. */
  tableVariables: string[];
  operations: Record<string, { route: string }>;
  /** The texts of openapi/operations/, by path. */
  operationFiles: Record<string, string>;
  /** The texts of the tests. */
  tests: string[];
}

const read = (path: string) => readFileSync(path, "utf8");

/** Reads the project that stands here. */
export function readProject(): Project {
  return {
    serverless: read("serverless.yml"),
    documents: read("docs/routes.md") + read("docs/settings.md"),
    ymls: globSync("{functions/**/functions.yml,lib/*/table.yml}"),
    files: globSync("functions/**/*.ts").filter((file) => !file.endsWith(".test.ts")),
    functions: declared.functions,
    permissions,
    tables: Object.entries(declared.resources.Resources).flatMap(([id, { Type }]) =>
      Type === "AWS::DynamoDB::Table" ? [toTable(id)] : [],
    ),
    tableVariables: Object.keys(tableSettings).filter((variable) => !ownTableVariables.includes(variable)),
    operations,
    operationFiles: Object.fromEntries(globSync("openapi/operations/*.ts").map((path) => [path, read(path)])),
    tests: globSync("{tests,own}/**/*.test.ts", { exclude: ["tests/project/**"] }).map(read),
  };
}

/** Says what was forgotten, one a line: the file, and what to add there. */
export function findForgotten(project: Project): string[] {
  const { serverless, documents, ymls, files, functions, permissions, tables, tableVariables } = project;
  const { operations, operationFiles, tests } = project;
  const routes = Object.entries(functions).flatMap(([name, { handler, events = [] }]) =>
    events
      .flatMap(({ httpApi }) => (httpApi ? [toRoute(httpApi)] : []))
      .flatMap((route) => (route === "*" ? [] : [{ name, handler, route }])),
  );
  const ours = Object.entries(functions).filter(([, each]) => runsOnNode(each));
  const described = Object.values(operations).map(({ route }) => route);
  const isNamed = (name: string) => documents.includes(`\`${name}\``);
  const isCalled = (name: string) => tests.some((text) => new RegExp(`\\b${name}\\(|"${name}"`).test(text));
  const handlers = ours.map(([, { handler }]) => handler.replace(/\.handler$/, ".ts"));
  const unlisted = ymls.filter((path) => !serverless.includes(`\${file(${path})}`));
  // "PutItem notes" needs a table; "GetSecretValue hash-keys" does not, nor do "SendEmail ses" and "PutEvents eventBus".
  const needed = Object.values(permissions).flatMap((each) =>
    each.flatMap((text) =>
      /^(GetSecretValue|SendEmail|PutEvents) /.test(text) ? [] : (text.split(" ")[1] ?? []),
    ),
  );

  return [
    ...unlisted.map((path) => {
      const section = path.endsWith("table.yml") ? "resources" : "functions";
      return `serverless.yml, ${section}: add - \${file(${path})}`;
    }),
    ...[...new Set(needed)]
      .filter((table) => !tables.includes(table) && !unlisted.includes(`lib/${table}/table.yml`))
      .map((table) => `lib/${table}/table.yml: add the table of ${table}, which a functions.yml names`),
    ...files
      .filter((file) => !handlers.includes(file) && !unlisted.includes(`${dirname(file)}/functions.yml`))
      .map((file) => {
        const handler = file.replace(/\.ts$/, ".handler");
        return `${dirname(file)}/functions.yml: add a function with handler: ${handler}`;
      }),
    ...handlers.filter((file) => !files.includes(file)).map((file) => `${file}: a functions.yml names it`),
    ...routes
      .filter(({ route }) => isContract(route) && !described.includes(route))
      .flatMap(({ name, handler, route }) => {
        if (isOwn({ handler })) return [`own/operations.ts: add ${name} with route: "${route}"`];
        const file = `openapi/operations/${basename(dirname(handler)).replace(/^\.$/, name)}.ts`;
        const add = `${file}: add ${name} with route: "${route}"`;
        const spread = `openapi/operations/index.ts: spread ${file} into all, its schemas into routeSchemas`;
        const text = operationFiles[file];
        if (text?.includes(`"${route}"`)) return [spread];
        return text ? [add] : [add, spread];
      }),
    ...Object.entries(operations)
      .filter(([, { route }]) => !routes.some((each) => each.route === route))
      .map(([name, { route }]) => `functions.yml: no function has ${route}, which openapi calls ${name}`),
    ...routes
      .filter(({ handler, route }) => !isOwn({ handler }) && !isNamed(route))
      .map(({ route }) => `docs/routes.md: add a row for \`${route}\``),
    ...tableVariables
      .filter((variable) => !isNamed(variable))
      .map((variable) => `docs/settings.md: name \`${variable}\` among the tables`),
    ...ours
      .filter(([name]) => !isCalled(name))
      .map(([name]) => `tests: no test calls ${name}, as sandbox.${name}() does`),
  ];
}

/** Pages and the files that they load are no part of the contract. */
const isContract = (route: string) => !/^GET \/(\w+\.(css|js|svg)|signed-in\/{provider})?$/.test(route);

if (import.meta.main) {
  const forgotten = findForgotten(readProject());
  if (forgotten.length > 0) {
    console.error(
      `Something was added, and this is still missing:\n${forgotten.map((line) => `- ${line}`).join("\n")}`,
    );
    process.exit(1);
  }
}
