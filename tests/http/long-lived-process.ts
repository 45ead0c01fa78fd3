import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { ApiResponse } from "../../lib/http/response.ts";
import { pathOf } from "../support/declared.ts";

/** What a process is like after a garbage collection. */
export interface Condition {
  heapMiB: number;
  /** The most that the process ever held. */
  maxResidentMiB: number;
  /** Open handles, by their kind. */
  resources: string[];
}

/** Answers a line of JSON with a line of JSON: what a handler says to an event, or the condition it is in. */
const program = `
  const { createInterface } = require("node:readline");
  const { writeHeapSnapshot } = require("node:v8");
  const handlers = {};
  async function answer({ bundle, event, snapshot }) {
    if (bundle) {
      handlers[bundle] ??= (await import(bundle)).handler;
      const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 10_000 };
      return { response: await handlers[bundle](event, context) };
    }
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve)), gc();
    if (snapshot) writeHeapSnapshot(snapshot);
    const heapMiB = process.memoryUsage().heapUsed / 2 ** 20;
    const maxResidentMiB = process.resourceUsage().maxRSS / 2 ** 10;
    return { heapMiB, maxResidentMiB, resources: process.getActiveResourcesInfo().sort() };
  }
  createInterface({ input: process.stdin }).on("line", async (line) => {
    process.stdout.write("\\n" + JSON.stringify({ answer: await answer(JSON.parse(line)) }) + "\\n");
  });
`;

/** Starts a process that answers many events, as a sandbox does, with nothing but the given environment. */
export function startLongLivedProcess(env: Record<string, string>, folder = ".local/test/bundles") {
  // Code that is optimised while it runs would look like a leak
  const unoptimised = ["--no-lazy-feedback-allocation", "--no-opt", "--no-maglev", "--no-sparkplug"];
  const flags = ["--expose-gc", "--heap-snapshot-string-limit=1000000", ...unoptimised];
  const child = spawn(process.execPath, [...flags, "--eval", program], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function ask(question: object) {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("the process ended");
      // The function writes its log there, too.
      if (value.startsWith('{"answer":')) return JSON.parse(value).answer;
    }
  }

  return {
    /** Gives a bundled handler an event. */
    async invoke(name: string, event: unknown): Promise<ApiResponse> {
      const { href } = pathToFileURL(`${folder}/${pathOf(name)}.mjs`);
      return (await ask({ bundle: href, event })).response;
    },

    /** Says what the process is like, and writes a snapshot of its heap where a file is named. */
    inspect: (snapshot?: string): Promise<Condition> => ask({ snapshot }),

    /** Ends the process. */
    stop(): void {
      child.kill("SIGKILL");
    },
  };
}
