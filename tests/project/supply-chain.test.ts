import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";

interface LockedPackage
  extends Partial<Record<"dev" | "optional" | "devOptional" | "hasInstallScript", boolean>> {
  version: string;
  integrity?: string;
  license?: string;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Record<string, LockedPackage>;
};
const locked = Object.entries(packages).filter(([path]) => path.startsWith("node_modules/"));
const runtime = locked.filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional);
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

/** What may be in a bundle without a lawyer. */
const licences = ["0BSD", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT"];

describe("the packages that get into bundles", () => {
  test("I05 are locked with their hashes, and run nothing when they are installed", () => {
    expect(runtime.length).toBeGreaterThan(8);
    const sha512 = expect.stringMatching(/^sha512-/);
    for (const [path, { integrity, hasInstallScript }] of runtime)
      expect([path, integrity, hasInstallScript]).toEqual([path, sha512, undefined]);
  });

  test("I06 are listed in the CycloneDX SBOM with the versions and licences of the lockfile", () => {
    const text = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], {
      maxBuffer: 64 * 1024 * 1024,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { bomFormat, components } = JSON.parse(text.toString());
    expect(bomFormat).toBe("CycloneDX");
    const listed = components.map(({ group, name, version }: Record<string, string>) => {
      return `${group ? `${group}/` : ""}${name}@${version}`;
    });
    const expected = runtime.map(([path, { version }]) => `${nameOf(path)}@${version}`);
    // It lists the tools, too: npm leaves out what a tool and a function share when it is asked to omit tools.
    expect(expected.filter((entry) => !listed.includes(entry))).toEqual([]);
    for (const [path, { license }] of runtime)
      expect([path, licences]).toEqual([path, expect.arrayContaining([license])]);
  });
});

test("every package is locked with its hash, and from no registry by name", () => {
  for (const [path, entry] of locked) expect([path, entry.integrity]).toEqual([path, expect.any(String)]);
  expect(readFileSync("package-lock.json", "utf8")).not.toContain('"resolved"');
});
