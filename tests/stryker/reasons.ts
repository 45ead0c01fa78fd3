import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

/** What is used here of a node of the syntax tree. */
interface Node {
  type: string;
  value?: unknown;
  callee?: { name?: string };
}

const errors = new Set(["Error", "KeyLifecycleError", "RangeError", "TypeError"]);

/** Leaves out what cannot make a difference, with the reason that stands in Stryker's report. */
function shouldIgnore(path: unknown): string | undefined {
  const { node, parent } = path as { node: Node; parent: Node | null };
  if (node.type !== "StringLiteral" && node.type !== "TemplateLiteral") return undefined;
  if (node.value === "ascii") return "what is hashed is ASCII, which every encoding gives the same bytes";
  const isReason = parent?.type === "NewExpression" && errors.has(parent.callee?.name ?? "");
  return isReason ? "the text of an error: for people, no code reads it" : undefined;
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, "reasons", { shouldIgnore })];
