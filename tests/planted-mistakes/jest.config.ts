import { halves } from "../support/halves.ts";

/** Mistakes planted into the source, each found by the tests named beside it: `npm run test:mistakes`. */
export default halves("tests/planted-mistakes/*.test.ts", { globalSetup: undefined });
