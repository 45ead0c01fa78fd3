import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

// `npm run test:faults -- [--long] [--seed=<text>]`; everything else is for Jest.
const { values, tokens } = parseArgs({
  strict: false,
  tokens: true,
  options: { long: { type: "boolean" }, seed: { type: "string" } },
});
const ours = new Set(
  tokens.flatMap((token) =>
    token.kind === "option" && /^(long|seed)$/.test(token.name) ? [token.index] : [],
  ),
);
const rest = process.argv.slice(2).filter((_, index) => !ours.has(index));

const { status } = spawnSync(
  process.execPath,
  [
    "--disable-warning=ExperimentalWarning",
    "--experimental-vm-modules",
    "node_modules/jest/bin/jest.js",
    "--config",
    "tests/fault-rig/jest.config.ts",
    ...rest,
  ],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      SEED: String(values.seed ?? process.env.SEED ?? Date.now()),
      ...(values.long && { LONG: "1" }),
    },
  },
);
process.exitCode = status ?? 1;
