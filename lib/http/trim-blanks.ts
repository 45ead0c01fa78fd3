/**
 * Takes the blanks around a part of a header: space and tab, and no others (RFC 9110, 5.6.3; RFC 6265bis, 5.6).
 * Whatever else Unicode calls a blank is part of the text: what begins with U+00A0 is not a `__Host-` cookie, so any
 * site beside ours could have set it.
 */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

const isBlank = (character: string | undefined) => character === " " || character === "\t";
