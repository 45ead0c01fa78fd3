import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { json } from "node:stream/consumers";
import type { ApiResponse } from "../../lib/http/response.ts";
import { functionTimeoutSeconds } from "../../lib/settings.ts";
import { keepAnswerSecrets } from "../support/pair.ts";

const client = resolve("tests/runtime/ric/node_modules/aws-lambda-ric/index.mjs");

/** One sandbox of a packaged function: its unpacked zip in AWS's runtime client, as a process of its own. */
export type Lambda = Awaited<ReturnType<typeof startLambda>>;

interface LambdaOptions {
  name: string;
  /** The folder that holds what was in the zip. */
  taskRoot: string;
  /** As the template has it: `functions/login.handler`. */
  handler: string;
  env: Record<string, string>;
}

/**
 * Starts a sandbox, and the Runtime API that hands it invocations and takes what comes of them
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Throws an Error that says how to install the runtime
 * client, if it is not there.
 */
export async function startLambda({ name, taskRoot, handler, env }: LambdaOptions) {
  if (!existsSync(client))
    throw new Error("Install the runtime client first: npm ci --prefix tests/runtime/ric");
  const waiting: { id: string; event: unknown }[] = [];
  const running = new Map<string, PromiseWithResolvers<unknown>>();
  const failedStart = Promise.withResolvers<unknown>();
  let idle: ServerResponse | undefined;

  const api = createServer(async (incoming, outgoing) => {
    const [, , , kind, id = "", verb] = (incoming.url ?? "").split("/");
    if (id === "next") {
      idle = outgoing;
      return handOut();
    }
    const payload = await json(incoming);
    if (kind === "init") failedStart.resolve(payload);
    else if (verb === "response") running.get(id)?.resolve(payload);
    else running.get(id)?.reject(new Error(`${name} failed: ${JSON.stringify(payload)}`));
    outgoing.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
  });
  await once(api.listen(0, "127.0.0.1"), "listening");

  function handOut(): void {
    const next = idle && waiting.shift();
    if (!next) return;
    idle?.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": next.id,
      "lambda-runtime-deadline-ms": String(Date.now() + functionTimeoutSeconds * 1_000),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:any",
      "lambda-runtime-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
    });
    idle?.end(JSON.stringify(next.event));
    idle = undefined;
  }

  const address = `127.0.0.1:${(api.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [client], {
    cwd: taskRoot,
    env: { ...lambdaEnvironment(name, taskRoot), ...env, _HANDLER: handler, AWS_LAMBDA_RUNTIME_API: address },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      // tests/support/log.ts looks there for credentials.
      process.stdout.write(text);
    });
  const exit = once(child, "exit");
  const ended = exit.then(([code]): never => {
    throw new Error(`${name} ended with ${code}: ${output}`);
  });
  ended.catch(() => {});

  async function invoke(event: unknown): Promise<unknown> {
    const id = randomUUID();
    const outcome = Promise.withResolvers<unknown>();
    running.set(id, outcome);
    waiting.push({ id, event });
    handOut();
    return Promise.race([outcome.promise, ended]);
  }

  return {
    invoke,

    /** Everything that it has written so far: what would be in CloudWatch. */
    output: () => output,

    /** What the runtime says of a start that fails, and how the process ends. */
    async failure(): Promise<{ payload: unknown; code: number }> {
      const payload = await Promise.race([failedStart.promise, ended]);
      const [code] = await exit;
      return { payload, code };
    },

    /** Invokes a function behind a route. */
    async answer(event: unknown): Promise<ApiResponse> {
      const response = (await invoke(event)) as ApiResponse;
      keepAnswerSecrets(response);
      return response;
    },

    async stop(): Promise<void> {
      if (child.exitCode === null) child.kill("SIGKILL");
      await exit;
      api.closeAllConnections();
      api.close();
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
