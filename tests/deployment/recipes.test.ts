import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
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
import { createContext, loadHandler } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";
import { sls } from "../support/sls.ts";

const service = await startService();
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

test("code that does not build is not packaged, and its line is named", async () => {
  const broken = checkout((text) => text);
  writeFileSync(join(broken, "functions/own/broken.ts"), "export const handler = async ( => {};\n");
  writeFileSync(
    join(broken, "functions/own/functions.yml"),
    "broken: { handler: functions/own/broken.handler, events: [{ httpApi: GET /broken }], iamRoleStatements: [] }\n",
  );
  await expect(packageStage("prod", {}, broken)).rejects.toMatchObject({
    stderr: expect.stringContaining("functions/own/broken.ts:1:31"),
    stdout: expect.stringContaining("The functions do not build: see above."),
  });
});

describe("examples/python, a stack of its own", () => {
  const folder = newFolder(createFolder());
  let stack: Package;
  beforeAll(async () => {
    for (const file of ["serverless.yml", "report.py"]) cpSync(`examples/python/${file}`, join(folder, file));
    stack = await packageStage("prod", {}, folder);
  });

  test("names only what the stack of the auth API exports, and puts its route behind the authorizer", () => {
    const template = join(packaged.folder, ".serverless/cloudformation-template-update-stack.json");
    const outputs = Object.values<{ Value: unknown; Export: { Name: string } }>(
      JSON.parse(readFileSync(template, "utf8")).Outputs,
    );
    const exported = new Map(outputs.map(({ Value, Export }) => [Export.Name, Value]));
    const [route] = propertiesOf(stack, "AWS::ApiGatewayV2::Route");
    expect(route).toMatchObject({ RouteKey: "GET /report", AuthorizationType: "CUSTOM" });
    const follow = (imported: { "Fn::ImportValue": string }) => exported.get(imported["Fn::ImportValue"]);
    expect(follow(route.ApiId)).toEqual({ Ref: "HttpApi" });
    const { Ref: authorizer } = follow(route.AuthorizerId) as { Ref: string };
    expect(packaged.resources[authorizer]?.Type).toBe("AWS::ApiGatewayV2::Authorizer");
  });

  test("its zip holds the function alone, and its role writes its log", async () => {
    expect(await unpack(stack, "example-reports", newFolder(createFolder()))).toEqual(["report.py"]);
    expect(propertiesOf(stack, "AWS::Lambda::Function")).toMatchObject([{ Handler: "report.handler" }]);
    const actions = permissionsOf(stack, "example-reports-prod-report").map(([action]) => action);
    expect(actions.filter((action) => !action.startsWith("logs:"))).toEqual([]);
  });

  test.each([
    [["admin"], 200, { report: "All is well.", for: expect.stringContaining("@example.com") }],
    [[], 403, { title: "Forbidden", status: 403, detail: "This needs the role admin." }],
  ])("python3 answers whom the authorizer lets in with the roles %j: %i", async (roles, status, expected) => {
    const account = await service.register();
    await service.database.change("users", { userId: account.userId }, { roles });
    const { cookies } = await service.logIn({ account });
    const authorize = await loadHandler("authorizer", service.environment);
    const event = { version: "2.0", routeKey: "GET /report", rawPath: "/report", cookies };
    // biome-ignore lint/suspicious/noExplicitAny: it answers no HTTP response
    const { context }: any = await authorize({ ...event, type: "REQUEST" }, createContext());
    const requestContext = { http: { method: "GET", path: "/report" }, authorizer: { lambda: context } };
    writeFileSync(join(folder, "event.json"), JSON.stringify({ ...event, requestContext }));
    const said = await sls(["invoke", "local", "--function", "report", "--path", "event.json"], {
      cwd: folder,
    });
    const { statusCode, body } = JSON.parse(said);
    expect([statusCode, JSON.parse(body)]).toEqual([status, expected]);
  });
});
