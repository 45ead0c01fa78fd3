import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createFolder, removeFolder } from "../support/project.ts";
import { readRecipes } from "../support/recipes.ts";

// A team has cloned the project, added what docs/protect.md shows, and takes the newest version, as docs/upgrade.md says.

const first = "functions/own/functions.yml";
const run = (cwd: string, command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const git = (cwd: string, ...args: string[]) => run(cwd, "git", ...args).trim();
const node = (cwd: string, ...args: string[]) => run(cwd, process.execPath, ...args);

/** What the team had cloned: the last version with a tag, or the commit that gave teams a place of their own. */
function findBase(): string {
  const [commit = ""] = git(".", "log", "--diff-filter=A", "--format=%H", "--", first).split("\n");
  const tags = git(".", "tag", "--merged", "HEAD", "--contains", commit, "--sort=-creatordate").split("\n");
  return (
    tags.find((tag) => tag && git(".", "rev-parse", `${tag}^{commit}`) !== git(".", "rev-parse", "HEAD")) ??
    commit
  );
}

// A checkout without history has nothing to upgrade from.
const hasHistory = existsSync(".git") && git(".", "rev-parse", "--is-shallow-repository") === "false";

(hasHistory ? describe : describe.skip)("a changed clone that is upgraded", () => {
  // Without the function in Python: its description and its test are left to the team there.
  const recipes = readRecipes("docs/protect.md", /^report:|report\.py\n/m);
  const folder = createFolder();
  beforeAll(() => {
    git(".", "clone", "--quiet", "--no-checkout", resolve("."), folder);
    git(folder, "config", "user.email", "team@example.com");
    git(folder, "config", "user.name", "Team");
    git(folder, "checkout", "--quiet", "-b", "team", findBase());
    for (const [path, text] of recipes) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    git(folder, "add", ".");
    git(folder, "commit", "--quiet", "-m", "Notes");
    git(folder, "merge", "--quiet", "--no-edit", git(".", "rev-parse", "HEAD"));
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  });
  afterAll(() => removeFolder(folder));

  test("has nothing to merge by hand: its files are as the team wrote them, all others as they come", () => {
    const changed = git(folder, "diff", "--name-only", git(".", "rev-parse", "HEAD"), "team").split("\n");
    expect(changed.sort()).toEqual([...recipes.keys()].sort());
    for (const [path, text] of recipes) expect(readFileSync(join(folder, path), "utf8")).toBe(text);
  });

  test("compiles, is formatted, and nothing is forgotten", () => {
    node(folder, "tests/project/forgotten.ts");
    node(folder, "node_modules/typescript/bin/tsc", "--noEmit");
    run(folder, "node_modules/.bin/biome", "check", "--vcs-enabled=false", "functions/own", "own");
  });

  test("passes its own tests, and those that look at every route", () => {
    const jest = ["--disable-warning=ExperimentalWarning", "--experimental-vm-modules"];
    const tests = ["own", "tests/http/protections", "tests/http/description.test", "tests/project/readme"];
    node(folder, ...jest, "node_modules/jest/bin/jest.js", ...tests);
  });
});
