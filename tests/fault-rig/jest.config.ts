import { halves } from "../support/halves.ts";

/**
 * The bundled functions behind a wire that loses, delays, repeats and refuses: `npm run test:faults`. SEED=<text> repeats
 * the choices of a run, LONG=1 takes 2,000 operations of each profile.
 */
export default halves("tests/fault-rig/*.test.ts");
