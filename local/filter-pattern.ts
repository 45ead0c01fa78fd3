/** A pattern of Lambda's event filtering: the shape of what it matches, with a list of allowed values at each leaf. */
export type Pattern = { [name: string]: Pattern | Rule[] };

/** A value that is allowed at a leaf, or a rule for it. */
type Rule = string | number | boolean | null | Record<string, unknown>;

/**
 * Answers whether a pattern matches an event: every leaf has a rule that holds. Throws TypeError at a rule that is not known
 * here, so that nothing is left out in silence.
 */
export function matchesPattern(pattern: Pattern | Rule[], value: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((rule) => holds(rule, value));
  return Object.entries(pattern).every(([name, inner]) =>
    matchesPattern(inner, (value as Record<string, unknown> | null | undefined)?.[name]),
  );
}

function holds(rule: Rule, value: unknown): boolean {
  if (typeof rule !== "object" || rule === null) return value === rule;
  const [[name, operand] = ["", undefined], ...more] = Object.entries(rule);
  const known = more.length === 0 && Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (!known) throw new TypeError(`${JSON.stringify(rule)} is no rule that is known here`);
  return known(value, operand);
}

const isText = (value: unknown) => typeof value === "string";

const rules: Record<string, (value: unknown, operand: unknown) => boolean> = {
  exists: (value, operand) => (value !== undefined) === operand,
  prefix: (value, operand) => isText(value) && value.startsWith(String(operand)),
  suffix: (value, operand) => isText(value) && value.endsWith(String(operand)),
  "anything-but": (value, operand) => value !== undefined && ![operand].flat().includes(value),
};
