import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createFolder, removeFolder } from "../support/project.ts";

// What `npm ci` leaves behind on machines that are not like ours, and what npm says there.

let folder: string;
const bundled = () => join(folder, "node_modules/.bin/node");
const missing = "npm ci --include=dev";

beforeEach(() => {
  folder = createFolder();
  cpSync("build", join(folder, "build"), { recursive: true });
  copyFileSync("package.json", join(folder, "package.json"));
  mkdirSync(dirname(bundled()), { recursive: true });
  mkdirSync(join(folder, "node_modules/serverless"));
});

afterEach(() => removeFolder(folder));

/** Runs a script of package.json with a Node 24 of the machine's own. */
function npm(...args: string[]): Promise<{ code: unknown; said: string }> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { HOME, PATH: `${dirname(process.execPath)}:${PATH}` };
  return new Promise((resolve) =>
    execFile("npm", args, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: stdout + stderr }),
    ),
  );
}

describe("after `npm ci`", () => {
  test("where all is well nothing is said", async () => {
    symlinkSync(process.execPath, bundled());
    const { code, said } = await npm("run", "--silent", "postinstall");
    expect({ code, said, isThere: existsSync(bundled()) }).toEqual({ code: 0, said: "", isThere: true });
  });

  test("a Node that does not run here no longer stands before the machine's own", async () => {
    // What Linux says of a binary whose loader is missing: there is no such file.
    writeFileSync(bundled(), "#!/lib/ld-of-another-libc.so\n");
    chmodSync(bundled(), 0o755);
    const { code, said } = await npm("run", "postinstall");
    expect([code, existsSync(bundled())]).toEqual([0, false]);
    expect(said).toContain("does not run on this machine: its own is used");
    expect(said).not.toContain(missing);
  });

  test("packages that it left out are named, and nothing fails yet", async () => {
    removeFolder(join(folder, "node_modules/serverless"));
    const { code, said } = await npm("run", "postinstall");
    expect([code, said]).toEqual([0, expect.stringContaining(missing)]);
  });
});

test.each(["start", "test"])(
  "`npm %s` without those packages says how to get them, without a stack",
  async (script) => {
    removeFolder(join(folder, "node_modules/serverless"));
    const { code, said } = await npm(script);
    expect(code).toBe(1);
    expect(said).toContain(missing);
    expect(said).not.toMatch(/^\s+at /m);
  },
);
