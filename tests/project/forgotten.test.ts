import { expect, test } from "@jest/globals";
import { findForgotten, type Project, readProject } from "./forgotten.ts";

const project = readProject();
const list = "functions/session/list.ts";

test("nothing is forgotten", () => {
  expect(findForgotten(project)).toEqual([]);
});

const toList = (path: string) => `add - \${file(${path})}`;
const newFunction = {
  handler: "functions/postcards/create.handler",
  events: [{ httpApi: "POST /postcards" }],
};

test("of a new route with a table each thing that is missing is named, with its place", () => {
  const functions = { ...project.functions, createPostcard: newFunction };
  const added = {
    ...project,
    ymls: [...project.ymls, "functions/postcards/functions.yml", "lib/postcards/table.yml"],
    files: [...project.files, "functions/postcards/create.ts"],
    functions,
    tableVariables: [...project.tableVariables, "POSTCARDS_TABLE"],
  };
  expect(findForgotten(added)).toEqual([
    `serverless.yml, functions: ${toList("functions/postcards/functions.yml")}`,
    `serverless.yml, resources: ${toList("lib/postcards/table.yml")}`,
    'openapi/operations/postcards.ts: add createPostcard with route: "POST /postcards"',
    "openapi/operations/index.ts: spread openapi/operations/postcards.ts into all, its schemas into routeSchemas",
    "docs/routes.md: add a row for `POST /postcards`",
    "docs/settings.md: name `POSTCARDS_TABLE` among the tables",
    "tests: no test calls createPostcard, as sandbox.createPostcard() does",
  ]);
});

test.each<[what: string, left: Partial<Project>, named: string]>([
  [
    "a function that no functions.yml declares",
    { files: [...project.files, "functions/postcards/create.ts"] },
    "functions/postcards/functions.yml: add a function with handler: functions/postcards/create.handler",
  ],
  [
    "a declared function that is not there",
    { files: project.files.filter((file) => file !== list) },
    `${list}: a functions.yml names it`,
  ],
  [
    "an operation without a function",
    { operations: { ...project.operations, createPostcard: { route: "POST /postcards" } } },
    "functions.yml: no function has POST /postcards, which openapi calls createPostcard",
  ],
  [
    "a table that a function may use",
    { permissions: { createPostcard: ["PutItem postcards", "GetSecretValue hash-keys"] } },
    "lib/postcards/table.yml: add the table of postcards, which a functions.yml names",
  ],
  [
    "a function whose own functions.yml is not listed",
    {
      ymls: [...project.ymls, "functions/postcards/functions.yml"],
      files: [...project.files, "functions/postcards/create.ts"],
    },
    `serverless.yml, functions: ${toList("functions/postcards/functions.yml")}`,
  ],
  [
    "a description that is written and not listed",
    {
      operations: Object.fromEntries(
        Object.entries(project.operations).filter(([name]) => name !== "movies"),
      ),
    },
    "openapi/operations/index.ts: spread openapi/operations/sample.ts into all, its schemas into routeSchemas",
  ],
])("%s is named", (_, left, named) => {
  expect(findForgotten({ ...project, ...left })).toEqual([named]);
});

test("a function in another language has no file of ours and no test of ours, but is described", () => {
  const report = {
    handler: "report.handler",
    runtime: "python3.13",
    events: [{ httpApi: { method: "get", path: "/report" } }],
  };
  expect(findForgotten({ ...project, functions: { ...project.functions, report } })).toEqual([
    'openapi/operations/report.ts: add report with route: "GET /report"',
    "openapi/operations/index.ts: spread openapi/operations/report.ts into all, its schemas into routeSchemas",
    "docs/routes.md: add a row for `GET /report`",
  ]);
});
