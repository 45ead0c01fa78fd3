const strings = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Answers whether a valid JSON object without nested objects came from a text that has a name twice: the parser then
 * dropped all values but the last, and another reader may see the first (RFC 8259, section 4).
 * Objects with nested values are left to the schema, which refuses them.
 */
export function hasRepeatedName(text: string, parsed: unknown): boolean {
  if (typeof parsed !== "object" || parsed === null) return false;
  if (Object.values(parsed).some((value) => typeof value === "object" && value !== null)) return false;
  let names = 0;
  for (const [, colon] of text.matchAll(strings)) if (colon !== undefined) names++;
  return names > Object.keys(parsed).length;
}
