import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import { setTimeout } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import type { Bundler } from "../build/bundler.ts";

/** What runs a function in serverless-offline. */
export interface Runner {
  setEvent(event: object): void;
  setClientContext(context: unknown): void;
  runHandler(): Promise<unknown>;
}

/** The one that it has itself. */
interface LambdaThread extends Runner {
  /** Ends the thread, whatever it does. */
  cleanup(): Promise<void>;
}

/** The prototype of its class `Lambda`, which hands out what runs a function, by the function's key. */
export interface Lambda {
  get(functionKey: string): Runner;
}

/** When the code may be run. */
export interface Reload {
  /** Builds and replaces what was saved. What is saved meanwhile is built after that, once. Never rejects. */
  reload(): Promise<void>;
  /** Resolves when all that was saved is in place. */
  settled(): Promise<void>;
}

/**
 * Milliseconds between the news of a save and the build. A save may be two writes, and serverless-esbuild's watcher (chokidar 3) drops
 * what comes within 50 ms of the last news of a file: what is dropped is written by then.
 */
const pauseMs = 100;

/** Makes the one way to new code: `replace` puts in place what `rebuild` has built, or could not build. */
export function createReload(rebuild: () => Promise<unknown>, replace: () => Promise<unknown>): Reload {
  let last = Promise.resolve();
  let isWaiting = false;

  async function run() {
    isWaiting = false;
    await setTimeout(pauseMs);
    await rebuild();
    await replace();
  }

  return {
    reload() {
      if (!isWaiting) last = last.then(run).catch(console.error);
      isWaiting = true;
      return last;
    },
    async settled() {
      let awaited: Promise<void>;
      do {
        awaited = last;
        await awaited;
      } while (awaited !== last);
    },
  };
}

/** Has a bundler reload what is saved from now on. */
export function reloadBy(bundler: Bundler, replace: () => Promise<unknown>): Reload {
  const reload = createReload(bundler.bundle, replace);
  bundler.bundle = reload.reload;
  bundler.notifyServerlessOffline = () => {};
  return reload;
}

/** What API Gateway answers for a function that fails. */
const internalServerError = {
  statusCode: 500,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message: "Internal Server Error" }),
};

/** Whether an event is a request to the API: not one of a stream, nor an authorizer's. */
const isRequest = (event: object): boolean => "requestContext" in event && !("type" in event);

/**
 * Has every call of a function answered, by code that is whole. serverless-offline alone forgets the calls of a thread that it
 * ends for new code, and makes a 200 with a stack of what a function throws, or of one that cannot be loaded.
 */
export function answerEveryCall(
  lambda: Lambda,
  { settled, nameOf }: { settled(): Promise<void>; nameOf(functionKey: string): string },
): void {
  const { get } = lambda;

  lambda.get = function (functionKey) {
    let event = {};
    let clientContext: unknown;
    return {
      setEvent: (given) => (event = given),
      setClientContext: (given) => (clientContext = given),
      runHandler: async () => {
        await settled();
        const thread = get.call(this, functionKey) as LambdaThread;
        thread.setEvent(event);
        thread.setClientContext(clientContext);
        try {
          return await runToTheEnd(thread);
        } catch (error) {
          console.error(`${nameOf(functionKey)} has failed: ${(error as Error).message}`);
          if (!isRequest(event)) throw error;
          return internalServerError;
        }
      },
    };
  };
}

/** The calls that threads are busy with: each ends with its thread. */
const calls = new WeakMap<LambdaThread, (error: Error) => void>();
/** In whose name a thread is made. */
const maker = new AsyncLocalStorage<LambdaThread>();

// An error that nobody catches in a thread would end serverless-offline, and the end of a thread leave its call unanswered.
subscribe("worker_threads", (message) => {
  const thread = maker.getStore();
  if (!thread) return;
  const { worker } = message as { worker: Worker };
  worker.once("error", (error: Error) => {
    console.error(error);
    calls.get(thread)?.(error);
  });
  worker.once("exit", (code) => {
    const fail = calls.get(thread);
    if (fail) fail(new Error(`its process ended with exit code ${code}`));
    else void thread.cleanup(); // its next call makes another one
  });
});

/** Runs a function; its thread is ended after that, where it would be ended meanwhile. */
async function runToTheEnd(thread: LambdaThread): Promise<unknown> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  let isToEnd = false;
  thread.cleanup = async () => {
    isToEnd = true;
  };
  calls.set(thread, reject);
  try {
    return await Promise.race([maker.run(thread, () => thread.runHandler()), end]);
  } finally {
    calls.delete(thread);
    Reflect.deleteProperty(thread, "cleanup"); // the class has its own
    if (isToEnd) await thread.cleanup();
  }
}
