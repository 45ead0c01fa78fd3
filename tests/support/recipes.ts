import { readFileSync } from "node:fs";

/**
 * The files of a document's recipes, by path: blocks of code whose first line is a comment with it, those of one file together.
 * Blocks that match `leftOut` are.
 */
export function readRecipes(document: string, leftOut?: RegExp): Map<string, string> {
  const files = new Map<string, string>();
  const blocks = readFileSync(document, "utf8").matchAll(
    /^```\w+\n((?:#|\/\/) (\S+)\n[^`]*(?:`[^`]+`[^`]*)*?)```$/gm,
  );
  for (const [, text = "", path = ""] of blocks)
    if (!leftOut?.test(text)) files.set(path, `${files.get(path) ?? ""}${text}`);
  return files;
}
