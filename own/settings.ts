import type { Setting } from "../lib/settings.ts";

// The settings that functions of functions/own/ read. No upgrade of this project touches this file (docs/upgrade.md).

/** Made with `setting`, `oneOf`, `integer` or `matching` of lib/settings.ts; a deployment reads and checks them as its own. */
export const ownSettings = {} satisfies Record<string, Setting<unknown>>;
