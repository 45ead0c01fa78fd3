import { readFileSync } from "node:fs";

/** A text that stands exactly once in a file, and what takes its place. */
export type Edit = Record<"file" | "find" | "put", string>;

/** A test file that must fail; with another configuration or environment than usual, and with this word in what it says. */
export interface Finder {
  path: string;
  config?: string;
  env?: Record<string, string>;
  says?: string;
}

/** A mistake that somebody could make, the promise of SECURITY.md that it breaks, and who must find it. */
export interface Mistake {
  promise: string;
  mistake: string;
  edits: Edit[];
  foundBy: Finder[];
}

/**
 * Reads mistakes.txt: after `# ` the promise; then, of each mistake, its name; after `@ ` a file, and after ` ? ` what
 * finds the mistake: test files, `model <invariant>`, or `rig <invariant> <profile> <act>=<weight> ...`; after `- ` the
 * lines of the text, after `+ ` those that take its place.
 */
export function readMistakes(): Mistake[] {
  const lines = readFileSync(new URL("mistakes.txt", import.meta.url), "utf8").split("\n");
  const all: Mistake[] = [];
  let promise = "";
  for (const [index, line] of lines.entries()) {
    const rest = line.slice(2);
    const edits = all.at(-1)?.edits ?? [];
    const more = lines[index - 1]?.[0] === line[0] ? `\n${rest}` : rest;
    if (line.startsWith("# ")) promise = rest;
    else if (line.startsWith("@ ")) {
      const [file = "", finders] = rest.split(" ? ");
      edits.push({ file, find: "", put: "" });
      if (finders) all.at(-1)?.foundBy.push(...finders.split(", ").map(parseFinder));
    } else if (line.startsWith("- ")) Object.assign(edits.at(-1) ?? {}, { find: edits.at(-1)?.find + more });
    else if (line.startsWith("+ ")) Object.assign(edits.at(-1) ?? {}, { put: edits.at(-1)?.put + more });
    else if (line !== "") all.push({ promise, mistake: line, edits: [], foundBy: [] });
  }
  return all;
}

function parseFinder(text: string): Finder {
  const [kind = "", says = "", PROFILES = "", ...acts] = text.split(" ");
  if (kind === "model")
    return { path: "tests/models/rotation.test.ts", config: "tests/models/jest.config.ts", says: `${says}:` };
  if (kind !== "rig") return { path: text };
  const weights = acts.map((act) => act.split("=")).map(([name, weight]) => [name, Number(weight)]);
  const env = { PROFILES, MIX: JSON.stringify(Object.fromEntries(weights)), OPERATIONS: "1000" };
  return {
    path: "tests/fault-rig/rig.test.ts",
    config: "tests/fault-rig/jest.config.ts",
    env,
    says: says.replace(/^I\d+$/, "$&,").replaceAll("-", " "),
  };
}
