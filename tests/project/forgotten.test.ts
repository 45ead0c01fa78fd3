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
    "openapi/operations/index.ts: spread openapi/operations/postcards.ts into all",
    "README.md, table of routes: add a row for `POST /postcards`",
    "README.md, Configuration: name `POSTCARDS_TABLE` among the tables",
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
])("%s is named", (_, left, named) => {
  expect(findForgotten({ ...project, ...left })).toEqual([named]);
});
