import { peerBundleOf } from "./bundle-paths.ts";
import { loadHandler } from "./call.ts";
import { type ColdStart, measureCold } from "./cold.ts";
import { measureShares, type SharedStarts } from "./core-share.ts";
import { type Facts, findFacts } from "./facts.ts";
import { createExpressPeer, createOpenAuthPeer, type Peer } from "./peer-requests.ts";
import { stepAside } from "./pin.ts";
import type { FunctionName } from "./requests.ts";
import { openPeers, openStage, type Stage } from "./stage.ts";
import { measureWarm, type Warm } from "./warm.ts";

/** Requests to DynamoDB of the peers' warm calls. */
export type PeerRequests = Record<string, Record<"protected" | "login" | "refresh", number>>;

/** Everything that one run finds. */
export interface Measured {
  facts: Record<FunctionName, Facts>;
  /** Not with `--check`. */
  times?: {
    cold: Record<string, ColdStart>;
    shares: SharedStarts | undefined;
    warm: Warm;
    peerRequests: PeerRequests;
  };
}

// A process of its own, because the handlers that it calls write their logs to its standard output.
const [, , rounds = "0"] = process.argv;
const stage = await openStage();
const facts = await findFacts(stage);
const times = Number(rounds) > 0 ? await measureTimes(stage, Number(rounds)) : undefined;
const measured: Measured = times ? { facts, times } : { facts };
process.send?.(measured, () => process.exit());

async function measureTimes(stage: Stage, rounds: number): Promise<Measured["times"]> {
  await openPeers(stage);
  const peerRequests: PeerRequests = {};
  for (const [name, peer] of Object.entries(await createPeers()))
    peerRequests[name] = await countRequests(name, peer, stage);
  stepAside();
  console.error(`Cold starts, ${rounds} rounds …`);
  const cold = await measureCold(stage.environment, await createPeers(), rounds);
  console.error("Cold starts with a share of a core …");
  const shares = await measureShares(stage.environment, rounds);
  console.error("Warm calls …");
  return { cold, shares, warm: await measureWarm(stage.environment), peerRequests };
}

async function createPeers(): Promise<Record<string, Peer>> {
  const openauth = await createOpenAuthPeer(process.env.OPENAUTH_ISSUER ?? "");
  return { express: await createExpressPeer(), openauth };
}

/** Of warm calls: the keys that a first call fetches do not count. */
async function countRequests(name: string, peer: Peer, { meter }: Stage): Promise<PeerRequests[string]> {
  const open = await loadHandler(peerBundleOf(`${name}-protected`));
  const handle = await loadHandler(peerBundleOf(name));
  const [opening, refreshing] = [await peer.protected(), await peer.refresh()];
  const count = async (call: () => Promise<unknown>) => {
    meter.take();
    await call();
    return meter.take().requests.length;
  };
  return {
    protected: await count(() => open(opening)),
    login: await count(peer.logIn),
    refresh: await count(() => handle(refreshing)),
  };
}
