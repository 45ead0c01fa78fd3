import { Readable } from "node:stream";
import { type Info, parse } from "csv-parse";

/** A record of an export, and the line that it begins in. */
export interface FoundRecord {
  line: number;
  /** Undefined: it cannot be read. */
  value: Record<string, unknown> | undefined;
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
  if (depth !== 0) yield { line: record?.line ?? line, value: undefined };
};

/** Finds the rows of a text of CSV (RFC 4180); the first row has their names. */
export const readCsvRows: ReadRecords = async function* (chunks) {
  const parser = parse({ columns: true, bom: true, info: true, trim: true, max_record_size: maxLength });
  const source = Readable.from(chunks);
  source.on("error", (error) => parser.destroy(error));
  let line = 1;
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<{
      record: Record<string, string>;
      info: Info;
    }>) {
      yield { line: line + 1, value: record };
      line = info.lines;
    }
  } catch (error) {
    // What follows a row that is broken may be anything.
    if (!(error as { code?: string }).code?.startsWith("CSV_")) throw error;
    yield { line: line + 1, value: undefined };
  }
};

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.length > maxLength) return undefined;
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
