import { resolve } from "node:path";

// Our two packages are links to folders outside of this one: Next.js must be told how far it may look.
const root = resolve("../..");

export default { turbopack: { root }, outputFileTracingRoot: root };
