import { spawnSync } from "node:child_process";

/** `npm run test:night`: what takes too long for CI. Each part runs, whatever became of the one before. */
const parts = [
  ...["test:timing", "test:mistakes", "test:stryker", "test:engine"],
  ...["test:faults", "test:models", "test:fuzz"],
];

const failed = parts.filter((part) => {
  console.log(`== npm run ${part}`);
  const { status } = spawnSync("npm", ["run", part], {
    stdio: "inherit",
    env: { ...process.env, LONG: "1" },
  });
  return status !== 0;
});
console.log(failed.length === 0 ? "The night passed." : `Failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
