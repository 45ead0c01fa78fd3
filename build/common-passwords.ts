import { dictionary } from "@zxcvbn-ts/language-common";

/** The floor of PASSWORD_MIN_LENGTH: shorter passwords are refused before the list is asked. */
const MIN_LENGTH = 8;

/** Common passwords as the service compares them (NFKC, lower case), sorted, one a line. */
export const createCommonPasswords = (): string =>
  [...new Set(dictionary["passwords-common"].map((word) => word.normalize("NFKC").toLowerCase()))]
    .filter((word) => [...word].length >= MIN_LENGTH)
    .sort()
    .join("\n");
