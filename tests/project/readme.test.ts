import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { optionVariables } from "../../build/operations/options.ts";
import { listSettings } from "../../lib/config.ts";
import type { Setting } from "../../lib/settings.ts";
import { operations } from "../../openapi/operations/index.ts";
import { documentedRoutes, ownTableVariables, tableSettings } from "../support/declared.ts";

const readme = readFileSync("README.md", "utf8");
const [settings = "", options = ""] = readFileSync("docs/settings.md", "utf8").split("## For a deployment");
const contributing = readFileSync("CONTRIBUTING.md", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** The cells of every row of a document's tables that begins with code. */
const rowsOf = (document: string) =>
  document
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1));
const rows = rowsOf(readFileSync("docs/routes.md", "utf8") + settings);
const codeOf = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? "");

describe("docs/routes.md and docs/settings.md", () => {
  test("names every route of serverless.yml, and no other", () => {
    const named = rows.flatMap(([first]) => codeOf(first)).filter((code) => /^[A-Z]+ \//.test(code));
    expect(named.sort()).toEqual(documentedRoutes);
  });

  test("says of each route whether it needs credentials, as its description does", () => {
    const needs = new Map<string, string | undefined>(
      Object.values(operations)
        .filter(({ route }) => documentedRoutes.includes(route))
        .map((each) => [each.route, each.needs]),
    );
    const told = rows.flatMap(([first, second = ""]) =>
      codeOf(first)
        .filter((code) => needs.has(code))
        .map((code) => [code, second.trim() !== "–"]),
    );
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries([...needs].map(([route, need]) => [route, need !== undefined])),
    );
  });

  test("names every setting, and no other", () => {
    const named = rows.flatMap(([first]) => codeOf(first)).filter((code) => /^[A-Z][A-Z_]+$/.test(code));
    const settings = Object.values(listSettings()).map(({ variable }) => variable);
    const variables = [...new Set([...settings, ...Object.keys(tableSettings)])];
    // ROUTES is made by the packaging, for one function.
    expect(named.sort()).toEqual(
      variables.filter((variable) => ![...ownTableVariables, "ROUTES"].includes(variable)).sort(),
    );
  });

  test("names every option of a deployment, and no other", () => {
    const named = rowsOf(options).flatMap(([first]) => codeOf(first));
    // What decides which functions there are: build/switches.ts.
    expect(named.sort()).toEqual(
      [
        ...optionVariables,
        "ADMIN_API",
        "DEMO_PAGE",
        "DOCS",
        "EMAIL_LOGIN",
        "OPERATOR_POLICIES",
        "SAMPLE",
      ].sort(),
    );
  });

  test("gives the defaults that the code has", () => {
    const settings = Object.values<Setting<unknown>>(listSettings());
    const numbers = settings.flatMap(({ variable, unset }) =>
      typeof unset === "number" ? [[variable, unset]] : [],
    );
    const defaults = Object.fromEntries(
      rows.map(([name, value]) => [codeOf(name)[0], Number(value?.split(";")[0])]),
    );
    expect(defaults).toMatchObject(Object.fromEntries(numbers));
  });
});

describe("the README", () => {
  test("is read in a minute: 150 lines, and no line of code is wider than 76 characters", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
    const code = [...readme.matchAll(/^```\w+\n(.*?)^```/gms)].flatMap(([, block = ""]) => block.split("\n"));
    expect(code.filter((line) => line.length > 76)).toEqual([]);
  });

  test("shows a protected route as functions/sample/movies.ts has it", () => {
    const movies = readFileSync("functions/sample/movies.ts", "utf8");
    const imports = movies.split("\n").filter((line) => line.startsWith("import"));
    expect(readme).toContain(imports.join("\n"));
    expect(readme).toContain(".use(await authenticate())");
  });

  test("leads to every document of docs/", () => {
    const names = readdirSync("docs").filter((name) => name.endsWith(".md"));
    expect(names.filter((name) => !readme.includes(`](docs/${name}`))).toEqual([]);
  });
});

test("CONTRIBUTING.md gives a reason for every package that is deployed", () => {
  for (const name of Object.keys(manifest.dependencies)) expect(contributing).toContain(`\`${name}\``);
});

test("CONTRIBUTING.md names every command of package.json", () => {
  const commands = [...contributing.matchAll(/^npm (?:run )?([\w:]+)/gm)].map(([, name]) => name);
  // npm runs that one by itself.
  const { postinstall: _, ...scripts } = manifest.scripts;
  expect(commands).toEqual(expect.arrayContaining(Object.keys(scripts)));
});

describe("every document", () => {
  const documents = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "client/README.md",
    "client/CHANGELOG.md",
    "verify/README.md",
    ...readdirSync("examples").map((name) => `examples/${name}/README.md`),
    "verify/CHANGELOG.md",
    "tests/support/README.md",
  ]
    .concat(readdirSync("docs").map((name) => `docs/${name}`))
    .filter((path) => path.endsWith(".md") && existsSync(path));

  test.each(documents)("%s links only to what is there", (path) => {
    const links = [...readFileSync(path, "utf8").matchAll(/\]\(([^)#:]*)(#[^)]*)?\)/g)];
    for (const [, target = "", anchor] of links) {
      const file = join(dirname(path), target);
      const linked = target === "" ? path : file;
      expect([path, target, existsSync(linked)]).toEqual([path, target, true]);
      if (anchor) expect(anchorsOf(linked)).toContain(anchor);
    }
  });

  test.each(documents)("%s names only files that are there", (path) => {
    const names = /`((?:tests|lib|functions|local|build|docs)\/[\w./-]+\.\w+)`/g;
    for (const [, file = ""] of readFileSync(path, "utf8").matchAll(names))
      expect([file, existsSync(file)]).toEqual([file, true]);
  });
});

/** The anchors that GitHub makes of a document's headings. */
function anchorsOf(path: string): string[] {
  const headings = [...readFileSync(path, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  const toAnchor = (text: string) => text.replace(/[^\w\- ]/g, "").replaceAll(" ", "-");
  return headings.map((heading) => `#${toAnchor(heading.toLowerCase())}`);
}
