// Written beside the bundle by build/assets.ts (the file is too large to parse at every cold start).
import commonPasswordsFile from "data-file:common-passwords.txt";
import { readFileSync } from "node:fs";

let passwords: ReadonlySet<string> | undefined;

/** The common passwords of at least 8 characters, lower case; read on first use. */
export function readCommonPasswords(): ReadonlySet<string> {
  passwords ??= new Set(readFileSync(commonPasswordsFile, "utf8").split("\n"));
  return passwords;
}
