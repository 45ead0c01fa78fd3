import { afterAll, expect, test } from "@jest/globals";
import { assertDone } from "../../bench/call.ts";
import { createRequests, type FunctionName, functionNames } from "../../bench/requests.ts";
import { openStage } from "../../bench/stage.ts";
import type { ApiResponse } from "../../lib/http/response.ts";
import { type Condition, startLongLivedProcess } from "../http/long-lived-process.ts";

const { environment } = await openStage();
const functions = startLongLivedProcess(environment, ".local/bench");
afterAll(() => functions.stop());

/** An hour of a small service: in each minute every function once, and what users do most some times more. */
const minutes = 60;
const often: Partial<Record<FunctionName, number>> = { movies: 20, me: 5, refresh: 10, login: 3 };

test("an hour's worth of requests to all functions leaves the heap and the handles of one sandbox as they were", async () => {
  const requests = await createRequests();
  const last: Partial<Record<FunctionName, ApiResponse>> = {};
  const conditions: Condition[] = [];
  let count = 0;
  for (let minute = 0; minute < minutes; minute++) {
    for (const name of functionNames) {
      for (let time = 0; time < (often[name] ?? 1); time++) {
        const answer = await functions.invoke(name, await requests[name](last[name]));
        assertDone(name, answer);
        last[name] = answer;
        count++;
      }
    }
    conditions.push(await functions.inspect());
  }
  const [middle, end] = [conditions[minutes / 2], conditions.at(-1)];
  const { heapMiB = 0, resources } = middle ?? {};
  console.log(`${count} requests; heap ${conditions.map((c) => c.heapMiB.toFixed(1)).join(" ")} MiB`);
  // The second half is 2,500 requests: 400 bytes of each would be seen
  expect(end?.heapMiB).toBeLessThan(heapMiB + 1);
  expect(end?.resources).toEqual(resources);
}, 3_600_000);
