import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Mutant } from "./mutant.ts";
import { createTree, type Outcome } from "./tree.ts";

/** Shows of each mutant that its test passes on the source as it is and fails once the mistake is planted. */
export function defineSuite(mutants: Mutant[]): void {
  const tree = createTree();
  let unchanged: Outcome[] = [];
  afterAll(tree.remove);

  beforeAll(async () => {
    unchanged = (await tree.runUnchanged(mutants.map(({ killedBy }) => killedBy))).outcomes;
    for (const [index, { killedBy }] of mutants.entries()) {
      if (unchanged[index] === "passed") continue;
      // So many files are a load of their own: once more, alone.
      const { outcomes, output } = await tree.runUnchanged([killedBy]);
      unchanged[index] = outcomes[0];
      if (outcomes[0] !== "passed") console.error(output);
    }
  });

  test.each(mutants.map((mutant, index) => ({ ...mutant, index, by: mutant.killedBy.name })))(
    "$id $mistake: killed by “$by”",
    async ({ edits, killedBy, index }) => {
      expect({ ...killedBy, unchanged: unchanged[index] }).toEqual({ ...killedBy, unchanged: "passed" });
      const { outcomes, output } = await tree.runPlanted(edits, killedBy);
      // Failed, and not unable to run: a mutant that does not even start shows nothing.
      if (outcomes[0] !== "failed") console.error(output);
      expect(outcomes).toEqual(["failed"]);
    },
  );
}
