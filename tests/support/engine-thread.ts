import { parentPort } from "node:worker_threads";
import { parseEngineName, startEngine } from "../../local/engine.ts";

// Run by database.ts and bench/stage.ts as a thread of its own, so that the engine takes no time from the service.
// TEST_ENGINE=dynoxide runs the tests on the other engine.
const { endpoint, deliver } = await startEngine({ name: parseEngineName(process.env.TEST_ENGINE) });
parentPort?.postMessage(endpoint);

// What wire.ts hands on comes as a message, at a fraction of the time that HTTP takes.
parentPort?.on("message", async ({ id, target, text }: { id: number; target: string; text: string }) => {
  parentPort?.postMessage({ id, answer: await deliver(target, text) });
});
