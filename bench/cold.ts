import { writeFileSync } from "node:fs";
import type { ApiResponse } from "../lib/http/response.ts";
import { type FirstAnswer, invokeFresh } from "../tests/support/fresh-process.ts";
import { bundleOf, peerBundleOf } from "./bundle-paths.ts";
import { assertDone } from "./call.ts";
import type { Peer } from "./peer-requests.ts";
import { pinnedNode } from "./pin.ts";
import { createRequests, functionNames, type Request } from "./requests.ts";
import { median } from "./statistics.ts";

/** A first answer in the median: from the start of the process, and the peak of its memory. */
export interface ColdStart {
  ms: number;
  cpuMs: number;
  peakKiB: number;
  /** Until the bundle was loaded. */
  initMs: number;
  initCpuMs: number;
  /** Processor time of the first request alone. */
  firstCpuMs: number;
}

/** The handler that all are compared with. */
export const emptyName = "empty handler";

interface Contender {
  bundle: string;
  request: Request;
}

/** Measures cold starts: every contender in turn, as many rounds as are asked for, each in a fresh process. */
export async function measureCold(
  environment: Record<string, string>,
  peers: Record<string, Peer>,
  rounds: number,
): Promise<Record<string, ColdStart>> {
  const contenders = { [emptyName]: createEmpty(), ...(await createOwn()), ...createPeers(peers) };
  const starts: Record<string, FirstAnswer[]> = {};
  const last: Record<string, ApiResponse> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, { bundle, request }] of Object.entries(contenders)) {
      const start = await invokeFresh(bundle, environment, await request(last[name]), {
        command: pinnedNode,
      });
      assertDone(name, start.response);
      last[name] = start.response;
      starts[name] = [...(starts[name] ?? []), start];
    }
  }
  return Object.fromEntries(Object.entries(starts).map(([name, found]) => [name, medianOf(found)]));
}

function medianOf(starts: FirstAnswer[]): ColdStart {
  const of = (find: (start: FirstAnswer) => number) => median(starts.map(find));
  return {
    ...{ ms: of(({ ms }) => ms), cpuMs: of(({ cpuMs }) => cpuMs), peakKiB: of(({ peakKiB }) => peakKiB) },
    ...{ initMs: of(({ initMs }) => initMs), initCpuMs: of(({ initCpuMs }) => initCpuMs) },
    firstCpuMs: of(({ cpuMs, initCpuMs }) => cpuMs - initCpuMs),
  };
}

function createEmpty(): Contender {
  const bundle = bundleOf("empty");
  writeFileSync(bundle, "export const handler = async () => ({ statusCode: 200 });\n");
  return { bundle, request: () => ({}) };
}

async function createOwn(): Promise<Record<string, Contender>> {
  const requests = await createRequests();
  return Object.fromEntries(
    functionNames.map((name) => [name, { bundle: bundleOf(name), request: requests[name] }]),
  );
}

function createPeers(peers: Record<string, Peer>): Record<string, Contender> {
  const functions = Object.entries(peers).flatMap(([name, { protected: open, login, refresh }]) => [
    [`${name} protected`, { bundle: peerBundleOf(`${name}-protected`), request: open }],
    [`${name} login`, { bundle: peerBundleOf(name), request: login }],
    [`${name} refresh`, { bundle: peerBundleOf(name), request: refresh }],
  ]);
  return Object.fromEntries(functions);
}
