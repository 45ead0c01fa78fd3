// Written beside the bundle by build/assets.ts (as a part of it the list would be parsed as code).
import commonPasswordsFile from "data-file:common-passwords.txt";
import { readFileSync } from "node:fs";

/** The common passwords of at least 8 characters, lower case; read before the first event, which takes 3.5 ms. */
export const commonPasswords: ReadonlySet<string> = new Set(
  readFileSync(commonPasswordsFile, "utf8").split("\n"),
);
