import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ApiResponse } from "../../lib/http/response.ts";
import { functionTimeoutSeconds } from "../../lib/settings.ts";
import { keepAnswerSecrets } from "../support/pair.ts";
import { type Outcome, startRuntimeApi } from "./runtime-api.ts";

const client = resolve("tests/runtime/ric/node_modules/aws-lambda-ric/index.mjs");

/** One sandbox of a packaged function: its unpacked zip in AWS's runtime client, as a process of its own. */
export type Lambda = Awaited<ReturnType<typeof startLambda>>;

interface LambdaOptions {
  /** The name in serverless.yml. */
  name: string;
  /** The folder that holds what was in the zip. */
  taskRoot: string;
  /** As the template has it: `functions/login.handler`. */
  handler: string;
  env: Record<string, string>;
}

/** Starts a sandbox. Throws an Error that says how to install the runtime client, if it is not there. */
export async function startLambda({ name, taskRoot, handler, env }: LambdaOptions) {
  if (!existsSync(client))
    throw new Error("Install the runtime client first: npm ci --prefix tests/runtime/ric");
  const api = await startRuntimeApi({ timeoutSeconds: functionTimeoutSeconds });
  const child = spawn(process.execPath, [client], {
    cwd: taskRoot,
    env: {
      ...lambdaEnvironment(name, taskRoot),
      ...env,
      _HANDLER: handler,
      AWS_LAMBDA_RUNTIME_API: api.address,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child);
  const exit = once(child, "exit");

  /** What the runtime client tells, unless the process ends before it does. */
  function beforeEnd(outcome: Promise<Outcome>): Promise<Outcome> {
    const ended = exit.then(([code]) => {
      throw new Error(`${name} ended with ${code}: ${output()}`);
    });
    return Promise.race([outcome, ended]);
  }

  async function invoke(event: unknown): Promise<unknown> {
    const { kind, payload } = await beforeEnd(api.invoke(event));
    if (kind === "error") throw new Error(`${name} failed: ${JSON.stringify(payload)}`);
    return payload;
  }

  return {
    /** Everything that it has written so far: what would be in CloudWatch. */
    output,

    /** What the runtime says of a start that fails, and how the process ends. */
    async failure(): Promise<{ payload: unknown; code: number }> {
      const { payload } = await beforeEnd(api.failedStart);
      const [code] = await exit;
      return { payload, code };
    },

    invoke,

    /** Invokes a function behind a route. */
    async answer(event: unknown): Promise<ApiResponse> {
      const response = (await invoke(event)) as ApiResponse;
      keepAnswerSecrets(response);
      return response;
    },

    /** Ends the sandbox. */
    async stop(): Promise<void> {
      if (child.exitCode === null) child.kill("SIGKILL");
      await exit;
      await api.stop();
    },
  };
}

/** What Lambda itself sets (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). */
function lambdaEnvironment(name: string, taskRoot: string): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: ":UTC",
    LAMBDA_TASK_ROOT: taskRoot,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "2026/01/01/[$LATEST]0",
  };
}

function collect({ stdout, stderr }: ChildProcess): () => string {
  let written = "";
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      // tests/support/log.ts looks there for credentials.
      process.stdout.write(text);
    });
  }
  return () => written;
}
