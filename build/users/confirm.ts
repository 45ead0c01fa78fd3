import { createInterface } from "node:readline/promises";

/** Where somebody may answer: standard input and standard error of the command. */
interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream;
}

/**
 * Asks for an e-mail address once more before something is done that cannot be undone. Throws Error where another one is typed,
 * or nobody can be asked.
 */
export async function confirm(
  what: string,
  email: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (!input.isTTY) throw new Error(`${what} cannot be undone: add --yes. Nothing was done.`);
  const terminal = createInterface({ input, output });
  const typed = await terminal.question(`${what} cannot be undone. Type ${email} to go on: `);
  terminal.close();
  if (typed.trim() !== email) throw new Error("That is another address. Nothing was done.");
}
