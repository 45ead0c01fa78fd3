import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { createFolder, removeFolder } from "../support/project.ts";

const run = promisify(execFile);
const built = ".local/test/client/auth-client.js";
/** Another project that has the client among its packages. */
const folder = createFolder();
const compiler = [
  "--noEmit",
  "--ignoreConfig",
  "--strict",
  "--target",
  "es2022",
  "--lib",
  "es2024,dom",
  "--types",
  "",
];

beforeAll(() => {
  const home = join(folder, "node_modules/serverless-auth-client");
  mkdirSync(home, { recursive: true });
  cpSync("client/package.json", join(home, "package.json"));
  cpSync(".local/test/client", join(home, "dist"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => removeFolder(folder));

/** What the compiler says of a module of that project; nothing, if it is content. */
async function compile(code: string, moduleResolution: string): Promise<string> {
  writeFileSync(join(folder, "app.ts"), code);
  const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
  const args = [
    ...compiler,
    "--module",
    module,
    "--moduleResolution",
    moduleResolution,
    join(folder, "app.ts"),
  ];
  return run("node_modules/.bin/tsc", args).then(
    () => "",
    ({ stdout }) => stdout,
  );
}

/** The TypeScript of a document. */
function codeOf(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
}

describe("the client as it is built", () => {
  test("has less than 3 KB, compressed, and imports nothing", async () => {
    expect(gzipSync(readFileSync(built)).length).toBeLessThan(3000);
    const { metafile } = await build({ entryPoints: [built], bundle: true, metafile: true, write: false });
    expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports)).toEqual([]);
  });

  test("can be imported by Node as it is, and exports two names", async () => {
    const script = 'console.log(Object.keys(await import("serverless-auth-client")).join())';
    const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
    });
    expect([stdout.trim(), stderr]).toEqual(["AuthError,createAuthClient", ""]);
  });

  test("can be bundled from its folder", async () => {
    const contents = 'import { createAuthClient } from "serverless-auth-client"; createAuthClient();';
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      format: "esm",
      write: false,
    });
    expect(outputFiles[0]?.text).toContain("AuthError");
  });
});

describe.each(["nodenext", "bundler"])("its types, as %s finds them", (moduleResolution) => {
  test("compile", async () => {
    const code = `
      import { AuthError, type Claims, createAuthClient, type Tokens } from "serverless-auth-client";
      const tokens: Tokens = { token: "", refreshToken: "" };
      const auth = createAuthClient({ tokens: { load: () => tokens, save: () => {} } });
      const claims: Claims = await auth.me();
      const pointers = (error: AuthError): string[] => error.errors?.map(({ pointer }) => pointer) ?? [];
      export { claims, pointers };`;
    expect(await compile(code, moduleResolution)).toBe("");
  });

  test("refuse what is wrong", async () => {
    const code = `
      import { createAuthClient } from "serverless-auth-client";
      await createAuthClient().login({ email: "ada@example.com" });
      createAuthClient({ baseURL: "" });`;
    const found = await compile(code, moduleResolution);
    expect(found).toContain("Property 'password' is missing");
    expect(found).toContain("'baseURL' does not exist");
  });
});

describe.each(["client/README.md"])("the code in %s", (path) => {
  test("compiles", async () => {
    const blocks = codeOf(path);
    expect(blocks.length).toBeGreaterThan(0);
    for (const code of blocks) expect([code, await compile(code, "bundler")]).toEqual([code, ""]);
  });
});
