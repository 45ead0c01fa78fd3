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
const built = ".local/test/client";
/** Another project, which has the client among its packages. */
const folder = createFolder();

beforeAll(() => {
  const home = join(folder, "node_modules/serverless-auth-client");
  mkdirSync(home, { recursive: true });
  cpSync("client/package.json", join(home, "package.json"));
  cpSync(built, join(home, "dist"), { recursive: true });
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
  test.each([
    ["auth-client.js", 4096, []],
    ["account.js", 2000, ["./auth-client.js"]],
    ["passkeys.js", 2000, ["./auth-client.js"]],
    ["factors.js", 500, []],
    ["sign-in.js", 2000, ["./auth-client.js"]],
  ])("%s has less than %i bytes, compressed, and imports %j", async (name, limit, imports) => {
    const path = join(built, name);
    expect(gzipSync(readFileSync(path)).length).toBeLessThan(limit);
    const { metafile } = await build({
      ...{ entryPoints: [path], bundle: true, format: "esm", write: false },
      external: ["./*"],
      metafile: true,
    });
    const [input] = Object.values(metafile.inputs);
    expect(input?.imports.map((each) => each.path)).toEqual(imports);
  });

  test.each(oldestBrowsers)("is for %s, as its README says", (browser) => {
    expect(readFileSync("client/README.md", "utf8").toLowerCase()).toContain(browser.replace(/\d/, " $&"));
  });

  test("can be imported by Node as it is; both entry points have the same AuthError", async () => {
    const script = `
      const auth = await import("serverless-auth-client");
      const account = await import("serverless-auth-client/account");
      const client = auth.createAuthClient({ baseUrl: "http://localhost", tokens: { load() {}, save() {} } });
      const error = await account.createAccountClient(client).confirmLogin({ code: "K4MXQ2T9W" }).catch((caught) => caught);
      console.log(Object.keys(auth).join(), Object.keys(account).join(), error instanceof auth.AuthError);`;
    const ran = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
    const exported = "AuthError,createAuthClient createAccountClient,takeMailLink";
    expect(ran).toEqual({ stdout: `${exported} true\n`, stderr: "" });
  });
});

describe("its types", () => {
  const code = `
    import { type AccountClient, createAccountClient, type MailLink, takeMailLink } from "serverless-auth-client/account";
    import { AuthError, type Claims, createAuthClient, type Tokens } from "serverless-auth-client";
    const tokens: Tokens = { token: "", refreshToken: "" };
    const auth = createAuthClient({ tokens: { load: () => tokens, save: () => {} } });
    const claims: Claims = await auth.me();
    const pointers = (error: AuthError): string[] => error.errors?.map(({ pointer }) => pointer) ?? [];
    const account: AccountClient = createAccountClient(auth);
    const link: MailLink | undefined = takeMailLink();
    const { codeBegins } = await account.askPasswordReset({ email: "ada@example.com" });
    export { claims, codeBegins, link, pointers };`;

  test.each(["nodenext", "bundler"])("are found by %s; the code in the documents compiles", async (how) => {
    const documents = ["README.md", "client/README.md"].map(codeOf);
    expect(documents.map((blocks) => blocks.length)).toEqual([1, 6]);
    expect(await compile([code, ...documents.flat()], how)).toBe("");
  });
});
