import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { oldestBrowsers } from "../../build/client.ts";
import { createFolder, removeFolder } from "../support/project.ts";

const run = promisify(execFile);
const built = ".local/test/client/auth-client.js";
/** Another project, which has the client among its packages. */
const folder = createFolder();

beforeAll(() => {
  const home = join(folder, "node_modules/serverless-auth-client");
  mkdirSync(home, { recursive: true });
  cpSync("client/package.json", join(home, "package.json"));
  cpSync(".local/test/client", join(home, "dist"), { recursive: true });
  symlinkSync(resolve("node_modules/@types"), join(folder, "node_modules/@types"));
  symlinkSync(resolve("node_modules/undici-types"), join(folder, "node_modules/undici-types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => removeFolder(folder));

/** What the compiler says of modules of that project; nothing, if it is content. */
async function compile(modules: string[], moduleResolution: string): Promise<string> {
  const compilerOptions = {
    ...{ noEmit: true, strict: true, target: "es2022", lib: ["es2024", "dom"], types: ["node"] },
    ...{ module: moduleResolution === "bundler" ? "esnext" : moduleResolution, moduleResolution },
  };
  const files = modules.map((_code, index) => `app-${index}.ts`);
  for (const [index, file] of files.entries()) writeFileSync(join(folder, file), modules[index] ?? "");
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return run("node_modules/.bin/tsc", ["--project", folder]).then(
    () => "",
    ({ stdout }) => stdout,
  );
}

/** The code in a document that uses the client. */
function codeOf(path: string): string[] {
  const blocks = [...readFileSync(path, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  return blocks.filter((code) => code.includes("createAuthClient"));
}

describe("the client as it is built", () => {
  test("has less than 4 KB, compressed, and imports nothing", async () => {
    expect(gzipSync(readFileSync(built)).length).toBeLessThan(4000);
    const { metafile } = await build({ entryPoints: [built], bundle: true, metafile: true, write: false });
    expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports)).toEqual([]);
  });

  test.each(oldestBrowsers)("is for %s, as its README says", (browser) => {
    expect(readFileSync("client/README.md", "utf8").toLowerCase()).toContain(browser.replace(/\d/, " $&"));
  });

  test("can be imported by Node as it is, and exports two names", async () => {
    const script = 'console.log(Object.keys(await import("serverless-auth-client")).join())';
    const ran = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
    expect(ran).toEqual({ stdout: "AuthError,createAuthClient\n", stderr: "" });
  });
});

describe("its types", () => {
  const code = `
    import { AuthError, type Claims, createAuthClient, type Tokens } from "serverless-auth-client";
    const tokens: Tokens = { token: "", refreshToken: "" };
    const auth = createAuthClient({ tokens: { load: () => tokens, save: () => {} } });
    const claims: Claims = await auth.me();
    const pointers = (error: AuthError): string[] => error.errors?.map(({ pointer }) => pointer) ?? [];
    export { claims, pointers };`;

  test.each(["nodenext", "bundler"])("are found by %s; the code in the documents compiles", async (how) => {
    const documents = ["README.md", "client/README.md"].map(codeOf);
    expect(documents.map((blocks) => blocks.length)).toEqual([1, 2]);
    expect(await compile([code, ...documents.flat()], how)).toBe("");
  });
});
