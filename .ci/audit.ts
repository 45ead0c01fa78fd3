import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * `npm run audit`: fails where a package that is deployed, or one of an example, has a known weakness of high severity. A
 * registry that cannot tell is said aloud, and fails nothing: it has no bearing on the change at hand.
 */
for (const folder of [".", ...readdirSync("examples").map((name) => `examples/${name}`)]) {
  const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], { cwd: folder, encoding: "utf8" });
  const { metadata } = parse(stdout);
  if (metadata) {
    const { high, critical } = metadata.vulnerabilities;
    console.log(
      `npm audit of ${folder}: ${high} high, ${critical} critical (npm audit --omit=dev says which)`,
    );
    if (high + critical > 0) process.exitCode = 1;
  } else {
    console.log(`npm audit of ${folder}: NOT CHECKED, the registry gives no advisories.`);
  }
}

function parse(text: string): { metadata?: { vulnerabilities: { high: number; critical: number } } } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
