import { parentPort } from "node:worker_threads";
import { startEngine } from "../../local/engine.ts";

// Run by database.ts as a thread of its own, so that the engine takes no time from the service under test.
const { endpoint } = await startEngine();
parentPort?.postMessage(endpoint);
