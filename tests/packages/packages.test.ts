import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { copyProject, createFolder, removeFolder } from "../support/project.ts";

const run = promisify(execFile);
const bin = resolve("tests/packages/node_modules/.bin");
const manifestOf = (path: string) => JSON.parse(readFileSync(join(path, "package.json"), "utf8"));

describe.each(["client", "verify"])("%s/ as a package", (path) => {
  const manifest = manifestOf(path);

  test("passes publint, with its advice", async () => {
    const { stdout } = await run(join(bin, "publint"), ["run", "--strict", path]);
    expect(stdout).toContain("All good!");
  });

  test("has types for all who can import it", async () => {
    await run(join(bin, "attw"), ["--pack", ".", "--profile", "esm-only"], { cwd: path });
  });

  test("holds what it names, its licence among it, and no source", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json"], { cwd: path });
    const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
    const named = JSON.stringify(manifest.exports).match(/dist\/[\w./-]+/g) ?? [];
    const documents = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
    expect(files).toEqual(expect.arrayContaining([...documents, ...named]));
    expect(files.filter((file) => !/^dist\/.*\.(js|d\.ts)$/.test(file)).sort()).toEqual(documents);
  });

  test("has its version at the head of its changelog", () => {
    const changelog = readFileSync(join(path, "CHANGELOG.md"), "utf8");
    expect(/^## (\S+)/m.exec(changelog)?.[1]).toBe(manifest.version);
  });
});

test("serverless-auth-verify has at most 20 KiB, all entry points together, and needs what the functions need", () => {
  const files = readdirSync("verify/dist").filter((file) => file.endsWith(".js"));
  const bytes = files.reduce((sum, file) => sum + statSync(`verify/dist/${file}`).size, 0);
  const imports = files.flatMap((file) =>
    [...readFileSync(`verify/dist/${file}`, "utf8").matchAll(/from"([^."][^"]*)"/g)].map(([, name]) => name),
  );
  const { dependencies } = manifestOf(".");
  expect(bytes).toBeLessThanOrEqual(20 * 1024);
  expect([...new Set(imports)].sort()).toEqual(["jose", "jose/errors", "node:crypto", "valibot"]);
  expect(manifestOf("verify").dependencies).toEqual({
    jose: dependencies.jose,
    valibot: dependencies.valibot,
  });
});

describe("`npm install <folder>` in another project", () => {
  const project = copyProject("verify", "tsconfig.json");
  const folder = createFolder();
  // The compilers of the project's own `npm ci`, and Node 24.
  const env = { ...process.env, PATH: [resolve("node_modules/.bin"), process.env.PATH].join(delimiter) };
  beforeAll(async () => {
    for (const path of ["client", "verify"])
      rmSync(join(project, path, "dist"), { recursive: true, force: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const packages = [join(project, "client"), join(project, "verify")];
    await run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: folder, env });
  });
  afterAll(() => {
    removeFolder(project);
    removeFolder(folder);
  });

  test("builds both, and they can be imported", async () => {
    const script = `
      for (const name of ["serverless-auth-client", "serverless-auth-client/account", "serverless-auth-client/sign-in", "serverless-auth-verify",
        ...["express", "fastify", "hono", "middy", "next"].map((name) => "serverless-auth-verify/" + name)])
        console.log(name, Object.keys(await import(name)).sort().join());`;
    writeFileSync(join(folder, "app.js"), script);
    const { stdout } = await run(process.execPath, ["app.js"], { cwd: folder });
    expect(stdout.trim().split("\n")).toEqual([
      "serverless-auth-client AuthError,createAuthClient",
      "serverless-auth-client/account createAccountClient,takeMailLink",
      "serverless-auth-client/sign-in createSignInClient",
      "serverless-auth-verify AuthError,createVerifier,requireRole",
      "serverless-auth-verify/express authenticate,requireRole",
      "serverless-auth-verify/fastify authenticate,requireRole",
      "serverless-auth-verify/hono authenticate,requireRole",
      "serverless-auth-verify/middy authenticate,requireRole",
      "serverless-auth-verify/next findAuth,withAuth",
    ]);
  });

  test("the code in verify/README.md compiles there", async () => {
    const readme = readFileSync("verify/README.md", "utf8");
    const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
    const [first = "", ...others] = blocks;
    expect(others.length).toBe(6);
    writeFileSync(join(folder, "auth.ts"), first);
    for (const [index, code] of others.entries()) writeFileSync(join(folder, `app-${index}.ts`), code);
    for (const name of ["express", "fastify", "hono", "next", "react", "@types"])
      symlinkSync(resolve("tests/packages/node_modules", name), join(folder, "node_modules", name));
    symlinkSync(resolve("node_modules/@middy"), join(folder, "node_modules/@middy"));
    const compilerOptions = {
      ...{ noEmit: true, strict: true, skipLibCheck: true, target: "es2022", lib: ["es2024", "dom"] },
      ...{ module: "esnext", moduleResolution: "bundler", types: ["node"], allowImportingTsExtensions: true },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const { stdout } = await run("node_modules/.bin/tsc", ["--project", folder]).catch((error) => error);
    expect(stdout).toBe("");
  });
});
