import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";

/** What a credential looks like. None of these expressions matches itself. */
const credentials: [name: string, pattern: RegExp, example: string[]][] = [
  ["a private key in PEM", /-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----/, ["-----BEGIN PRIVATE", "KEY-----"]],
  ["a private JWK", /"d"\s*:\s*"[A-Za-z0-9_-]{43,}"/, ['"d":', `"${"A".repeat(43)}"`]],
  ["an access key of AWS", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, ["AKIA", "ABCDEFGHIJKLMNOP"]],
  ["a token of GitHub", /\bgh[pousr]_[A-Za-z0-9]{36}\b/, ["ghp", `_${"a".repeat(36)}`]],
  ["a token of npm", /\bnpm_[A-Za-z0-9]{36}\b/, ["npm", `_${"a".repeat(36)}`]],
  ["a key of Slack", /\bxox[abprs]-[A-Za-z0-9-]{20,}/, ["xoxb", `-${"1".repeat(20)}`]],
  [
    "a password in a URL",
    /:\/\/[A-Za-z0-9._-]+:[^\s@/$"'`<>{}]{3,}@[a-z0-9-]+\.[a-z]{2,}/,
    ["https://ada:", "hunter2@a.io"],
  ],
];

const git = (...args: string[]) => execFileSync("git", args, { maxBuffer: 512 * 1024 * 1024 }).toString();
const isRepository = existsSync(".git");

/** The lines of a text in which a credential stands, without it. */
function findIn(where: string, text: string): string[] {
  return credentials.flatMap(([name, pattern]) => (pattern.test(text) ? [`${where}: ${name}`] : []));
}

describe("I08 no credential is", () => {
  test("overlooked: each kind would be found", () => {
    for (const [name, pattern, example] of credentials) {
      expect([name, pattern.test(example.join(name.includes("PEM") ? " " : ""))]).toEqual([name, true]);
    }
  });

  (isRepository ? test : test.skip)("in any file of the repository", () => {
    const files = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0");
    const found = files
      .filter((file) => file !== "" && existsSync(file))
      .flatMap((file) => findIn(file, readFileSync(file, "latin1")));
    expect(files.length).toBeGreaterThan(150);
    expect(found).toEqual([]);
  });

  (isRepository ? test : test.skip)("in its history", () => {
    const log = git("log", "--patch", "--no-color", "--unified=0", "--format=commit %h", "--", ".");
    const commits = log.split(/^commit /m).slice(1);
    expect(commits.flatMap((text) => findIn(text.slice(0, 7), text))).toEqual([]);
  });
});
