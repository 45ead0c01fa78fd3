import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { ApiResponse } from "../../lib/http/response.ts";

/** Imports a bundle, gives its handler one event, and says what it answered and which of Node's modules it loaded. */
const program = `
  const { bundle, event } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 10_000 };
  import(bundle).then(async ({ handler }) => {
    const response = await handler(event, context);
    const modules = process.moduleLoadList.filter((name) => name.startsWith("NativeModule "));
    process.stdout.write("\\n" + JSON.stringify({ response, modules }) + "\\n");
  });
`;

/**
 * Invokes the handler of a bundle once, in a process that has nothing but the given environment. A signal kills it, and
 * then this throws.
 */
export async function invokeFresh(
  bundle: string,
  env: Record<string, string>,
  event: unknown,
  signal?: AbortSignal,
) {
  const child = spawn(process.execPath, ["--eval", program], { env, stdio: ["pipe", "pipe", "inherit"] });
  signal?.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  child.stdin.end(JSON.stringify({ bundle: pathToFileURL(bundle).href, event }));
  // The function writes its log there, too.
  const lines = (await text(child.stdout)).split("\n");
  if (signal?.aborted) throw new Error("the process was killed");
  const answer = lines.find((line) => line.startsWith('{"response":')) ?? "";
  return JSON.parse(answer) as { response: ApiResponse; modules: string[] };
}
