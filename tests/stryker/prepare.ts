import { mkdirSync } from "node:fs";
import { writeResources } from "../support/resources.ts";

// Stryker runs it once, in its copy of the project: the tests of the sessions table want a table.
mkdirSync(".local/test", { recursive: true });
await writeResources();
