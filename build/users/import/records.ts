import { type Info, parse } from "csv-parse";

/** A record of an export, and the line that it begins in. */
export interface FoundRecord {
  line: number;
  /** Undefined: it cannot be read. */
  value: Record<string, unknown> | undefined;
  /** What follows a record that is broken may be anything: no more is read. */
  isEnd?: true;
}

/** Finds the records in a text, and holds one of them at a time. */
export type ReadRecords = (chunks: AsyncIterable<string>) => AsyncGenerator<FoundRecord>;

/** What is longer is no record: it would be held in memory as a whole. */
const maxLength = 65_536;

/** Finds one object of JSON in each line (JSON lines); empty ones are none. */
export const readJsonLines: ReadRecords = async function* (chunks) {
  let line = 1;
  let text = "";
  for await (const chunk of chunks) {
    const [first = "", ...others] = chunk.split("\n");
    text = text.length > maxLength ? text : text + first;
    for (const next of others) {
      if (text.trim() !== "") yield { line, value: parseObject(text) };
      text = next;
      line++;
    }
  }
  if (text.trim() !== "") yield { line, value: parseObject(text) };
};

/** Finds the objects of the array `users` in one object of JSON, as Firebase and Keycloak write it. */
export const readJsonUsers: ReadRecords = async function* (chunks) {
  let depth = 0;
  let inText = false;
  let isEscaped = false;
  /** The last text at the outermost level: the name of the array that follows; and of the one that is open. */
  let name = "";
  let array = "";
  let line = 1;
  let record: { line: number; text: string } | undefined;
  for await (const chunk of chunks)
    for (const character of chunk) {
      if (character === "\n") line++;
      if (!inText && character === "{" && depth === 2 && array === "users") record = { line, text: "" };
      if (record && record.text.length <= maxLength) record.text += character;
      if (inText) {
        if (isEscaped) isEscaped = false;
        else if (character === "\\") isEscaped = true;
        else if (character === '"') inText = false;
        if (inText && depth === 1 && name.length < 64) name += character;
      } else if (character === '"') {
        inText = true;
        if (depth === 1) name = "";
      } else if (character === "{" || character === "[") {
        if (depth === 1) array = name;
        depth++;
      } else if (character === "}" || character === "]") {
        depth--;
        if (record && depth === 2) {
          yield { line: record.line, value: parseObject(record.text) };
          record = undefined;
        }
      }
    }
  if (depth !== 0) yield { line: record?.line ?? line, value: undefined, isEnd: true };
};

/** Finds the rows of a text of CSV (RFC 4180); the first row has their names, and empty lines are none. */
export const readCsvRows: ReadRecords = async function* (chunks) {
  const found: FoundRecord[] = [];
  let before = { lines: 1, empty_lines: 0 };
  /** The line in which a row begins: empty ones may come before it. */
  const begin = (empty: number) => before.lines + empty - before.empty_lines + 1;
  const parser = parse({
    ...{ columns: true, bom: true, trim: true, max_record_size: maxLength, skip_empty_lines: true },
    // Named, or that of the first line would count for all.
    record_delimiter: ["\r\n", "\n", "\r"],
    // The parser's own stream loses the rows before one that is broken.
    on_record(value: Record<string, string>, info) {
      found.push({ line: begin(info.empty_lines), value });
      before = info;
      return null;
    },
  }).on("error", () => {}); // the calls give it
  async function* withEnd() {
    yield* chunks;
    yield undefined;
  }
  for await (const chunk of withEnd()) {
    const error = await new Promise<unknown>((resolve) =>
      chunk === undefined ? parser.end(resolve) : parser.write(chunk, resolve),
    );
    yield* found.splice(0);
    if (error) {
      const { empty_lines } = error as Info;
      yield { line: begin(empty_lines), value: undefined, isEnd: true };
      return;
    }
  }
};

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.length > maxLength) return undefined;
  try {
    const value = JSON.parse(text.trim()); // JavaScript counts a byte order mark as a blank, too
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
