import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";

// The directions of imports: event -> functions/ -> lib/http -> lib/auth -> one store -> back.

const files = globSync("{functions,lib,own,openapi,client,verify,page,local,build}/**/*.ts").filter(
  (file) => !/\.(test|d)\.ts$/.test(file),
);
const imports = new Map(
  files.map((file) => {
    const found = readFileSync(file, "utf8").matchAll(
      /^(?:import|export) [^"]*?"([^"]+)";|^} from "([^"]+)";/gm,
    );
    const names = [...found].map(([, one, other]) => one ?? other ?? "");
    return [file, names.map((name) => (name.startsWith(".") ? join(dirname(file), name) : name))] as const;
  }),
);

test("no file imports itself by way of others", () => {
  const state = new Map<string, "open" | "done">();
  const circles: string[] = [];
  function visit(file: string, path: string[]): void {
    if (state.get(file) === "open") circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (state.has(file)) return;
    state.set(file, "open");
    for (const imported of imports.get(file) ?? []) visit(imported, [...path, file]);
    state.set(file, "done");
  }
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test.each<[from: RegExp, to: RegExp, why: string]>([
  [/^lib\/auth\//, /^lib\/http\/|@aws-sdk|@middy|^aws-lambda$/, "a use case knows no HTTP and no AWS SDK"],
  [/^lib\/(accounts|attempts|factors|sessions|tokens)\//, /^lib\/(auth|http)\//, "a store decides no policy"],
  [/^functions\//, /@aws-sdk/, "a handler never touches a table"],
  [/^lib\//, /^(functions|openapi|build|local|client|verify|page|tests)\//, "lib/ stands alone"],
  [/^(functions|lib|openapi|client|verify|page|local|build)\//, /^(tests|bench)\//, "no source needs a test"],
])("%s imports nothing of %s: %s", (from, to) => {
  const wrong = [...imports].flatMap(([file, names]) =>
    from.test(file) ? names.filter((name) => to.test(name)).map((name) => `${file} -> ${name}`) : [],
  );
  expect(wrong).toEqual([]);
});
