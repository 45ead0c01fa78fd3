import { expect, test } from "@jest/globals";
import { exploreScope, honest } from "./rotation/explore-scope.ts";

// A proven repeat of age R does not re-arm; its answer may come 12 s later, and a tab's request with the old pair, sent
// just before, another 12 s later: by then the successor must not have been rotated away. So R <= interval - 25.
test.each([
  [28, 3, true],
  [25, 0, true],
  [40, 15, true],
  [29, 5, false],
  [30, 6, false],
  [24, 0, false],
  [40, 16, false],
])(
  "minimum interval %i s, re-armed after %i s: honest tabs keep their session: %s",
  async (interval, age, isHeld) => {
    const scope = { ...honest, jumps: [...new Set([age || 12, 12, interval + 1])] };
    const settings = { intervalSeconds: interval, rearmAfterSeconds: age };
    const { violation } = await exploreScope(scope, 7, settings);
    expect(violation?.error.message.split(":")[0]).toBe(isHeld ? undefined : "honestKeepsSession");
  },
);
