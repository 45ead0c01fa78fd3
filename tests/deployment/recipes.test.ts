import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  functionsOf,
  type Package,
  packageStage,
  permissionsOf,
  propertiesOf,
  roleOf,
  unpack,
} from "../support/packages.ts";
import { copyProject, createFolder, removeFolder } from "../support/project.ts";
import { readRecipes } from "../support/recipes.ts";

const recipes = readRecipes("docs/protect.md");

const secret = "a private key of npm start";
const folders: string[] = [];
const newFolder = (folder: string) => folders[folders.push(folder) - 1] as string;
afterAll(() => folders.forEach(removeFolder));

/** A copy of the project that somebody works in, with the recipes; `change` is made to each of their files. */
function checkout(change = (text: string) => text): string {
  const folder = newFolder(copyProject());
  for (const [path, text] of [...recipes, [".local/keys.json", secret], ["prod.env", secret]] as const) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), change(text));
  }
  return folder;
}

let packaged: Package;
beforeAll(async () => {
  packaged = await packageStage("prod", {}, checkout());
});

test("docs/protect.md has a recipe for another runtime", () => {
  expect(functionsOf(packaged).report.Runtime).toMatch(/^python/);
});

test("I04 the zip of a recipe holds the files that the recipe names, and nothing else of the checkout", async () => {
  const target = newFolder(createFolder());
  expect(await unpack(packaged, "report", target)).toEqual(["functions/own/report.py"]);
  expect(functionsOf(packaged).report.Handler).toBe("functions/own/report.handler");
  for (const name of Object.keys(functionsOf(packaged))) {
    for (const file of await unpack(packaged, name, join(target, name)))
      expect([name, file, readFileSync(join(target, name, file), "utf8").includes(secret)]).toEqual([
        name,
        file,
        false,
      ]);
  }
});

test("I01 a recipe's function has a role of its own, with which it may write its log and nothing else", () => {
  const others = Object.keys(functionsOf(packaged)).filter((name) => name !== "report");
  expect(others.map((name) => roleOf(packaged, name))).not.toContain(roleOf(packaged, "report"));
  const actions = permissionsOf(packaged, "report").map(([action]) => action);
  expect(actions.filter((action) => !action.startsWith("logs:"))).toEqual([]);
});

test("a recipe's route is behind the authorizer, and environments hold no private key", () => {
  const routes = propertiesOf(packaged, "AWS::ApiGatewayV2::Route");
  expect(routes.find(({ RouteKey }) => RouteKey === "GET /report")).toMatchObject({
    AuthorizationType: "CUSTOM",
  });
  expect(JSON.stringify(packaged.resources)).not.toContain(secret);
});

test.each([
  ["no file", ""],
  ["files that are not there", "  package: { patterns: [functions/own/other.py] }\n"],
])("a function in another language that names %s is not packaged", async (_, line) => {
  const unnamed = checkout((text) => text.replace(/^ {2}package: .*\n/m, line));
  await expect(packageStage("prod", {}, unnamed)).rejects.toMatchObject({
    stdout: expect.stringContaining("report: name the files of its zip"),
  });
});
