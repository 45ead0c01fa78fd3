import { format } from "node:util";
import { afterAll, expect } from "@jest/globals";

const lines: string[] = [];
const secrets = new Set<string>();

/** Everything that the handlers of a test file wrote, to the console or past it. */
export const log = {
  /** The JSON lines written since the last `clear`, parsed. */
  entries(): { level: string; event: string; [name: string]: unknown }[] {
    return lines.slice(start).flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  },

  /** What was written since the last `clear` of pairs that came back. */
  events(): string[] {
    const repeats = ["authn_token_reuse", "authn_token_repeat_unproven"];
    return log.entries().flatMap(({ event }) => (repeats.includes(event) ? [event] : []));
  },

  /** Forgets no line: what was written before is only not told any more. */
  clear(): void {
    start = lines.length;
  },

  /** Looks for secrets in what was written so far, and forgets it: for tests that write more than they can keep. */
  settle(): void {
    expect(findLeaks()).toEqual([]);
    lines.length = 0;
    start = 0;
  },
};

let start = 0;

/** Remembers texts that must not be in any line of this test file, whenever it is written. */
export function keepSecrets(...texts: (string | undefined)[]): void {
  for (const text of texts) if (text !== undefined && text.length >= 8) secrets.add(text);
}

for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const) {
  console[method] = (...values: unknown[]) => {
    lines.push(format(...values));
  };
}

const streams = [process.stdout, process.stderr].map((stream) => {
  const { write } = stream;
  stream.write = ((text: string | Uint8Array, ...rest: never[]) => {
    const line = typeof text === "string" ? text : Buffer.from(text).toString();
    lines.push(line);
    // The lines of requests are kept, not shown.
    if (line.startsWith('{"level":')) return true;
    return write.call(stream, text, ...rest);
  }) as typeof write;
  return { stream, write };
});

afterAll(() => {
  for (const { stream, write } of streams) stream.write = write;
  expect(findLeaks()).toEqual([]);
  expect(secrets.size).toBeGreaterThan(0);
});

/** The beginnings of the secrets that were written. Not the secrets themselves: a failing test would print them. */
function findLeaks(): string[] {
  const text = lines.join("\n");
  const byStart = Map.groupBy(secrets, (secret) => secret.slice(0, 8));
  // Each place is looked at once, however many secrets there are.
  const leaked = new Set<string>();
  for (let place = 0; place < text.length; place++) {
    for (const secret of byStart.get(text.slice(place, place + 8)) ?? []) {
      if (text.startsWith(secret, place)) leaked.add(secret.slice(0, 4));
    }
  }
  return [...leaked];
}
