// Written beside the bundle by build/common-passwords (the file is too large to parse at every cold start).
import commonPasswordsFile from "common-passwords:file";
import { readFileSync } from "node:fs";

let passwords: ReadonlySet<string> | undefined;

/** The common passwords of at least 8 characters, lower case; read on first use. */
export function readCommonPasswords(): ReadonlySet<string> {
  passwords ??= new Set(readFileSync(commonPasswordsFile, "utf8").split("\n"));
  return passwords;
}
