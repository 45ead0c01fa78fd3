import type { Answer } from "../../local/wire.ts";
import { beAway, deliverTwice, exceed, fail, hang, loseAnswer, loseRequest } from "../support/faults.ts";
import type { WireRequest } from "../support/wire.ts";
import type { Past } from "./past.ts";
import type { Random } from "./random.ts";

/** What a profile knows when it decides about a request. Nothing is decided by how fast this machine is. */
export interface Scene {
  random: Random;
  /** Answers the same for all attempts of one call of the SDK. */
  isCallChosen(share: number): boolean;
  /** Waits until up to twenty other requests have come, or nothing else moves. */
  wait(): Promise<void>;
  /** Has something happen after the answer; the round does not end before it has. */
  later(act: () => Promise<unknown>): void;
  past: Past;
}

export interface Profile {
  name: string;
  fault: (request: WireRequest, scene: Scene) => Promise<Answer | undefined>;
  /** This share of the answers of the service never reaches its client. */
  unheard?: number;
  /** The clocks of the sandboxes are up to two seconds before or behind. */
  isSkewed?: boolean;
  environment?: Record<string, string>;
  /** DynamoDB deletes expired items, some of them, some time. */
  deletesExpired?: boolean;
  /** Every fifth round DynamoDB is away, and a minute later all clients come at once. */
  hasOutages?: boolean;
  /** Some requests never get an answer: only the SDK's time-out ends them. */
  hangs?: boolean;
  /** This share of the calls is killed between two requests to the database. */
  killed?: number;
  /** The SDK gives up before its third attempt: it has used up its quota of retries. */
  exhaustsQuota?: boolean;
}

const pass = (request: WireRequest) => request.deliver();
const sometimes =
  (share: number, fault: Profile["fault"]): Profile["fault"] =>
  (request, scene) =>
    scene.random.isTrue(share) ? fault(request, scene) : request.deliver();

async function slow(request: WireRequest, { random, wait }: Scene) {
  if (random.isTrue(0.5)) return wait().then(() => request.deliver());
  const answer = await request.deliver();
  await wait();
  return answer;
}

const halfApplied =
  (fault: Profile["fault"]): Profile["fault"] =>
  async (request, scene) => {
    if (scene.random.isTrue(0.5)) await request.deliver();
    return fault(request, scene);
  };

async function duplicate(request: WireRequest, scene: Scene) {
  // A session's put has one attempt; a copy of it that comes after the session's end would be a new session.
  if (request.name === "PutItem sessions") return deliverTwice(request);
  const answer = await request.deliver();
  return (await overtaken(request, scene)) ?? answer;
}

/** The connection breaks; the request arrives when its repeat has long been answered. */
async function overtaken(request: WireRequest, { wait, later }: Scene): Promise<Answer | undefined> {
  later(() => wait().then(() => request.deliver()));
  return undefined;
}

let burst = 0;
const throttleInBursts: Profile["fault"] = (request, { random }) => {
  if (burst === 0 && random.isTrue(0.01)) burst = 24;
  if (burst === 0) return request.deliver();
  burst--;
  return exceed(request);
};

const short = { REFRESH_TOKEN_TTL_SECONDS: "1500", SESSION_MAX_AGE_SECONDS: "6000" };

export const profiles: Record<string, Profile> = {
  F1: { name: "no faults", fault: pass },
  F2: { name: "requests are lost", fault: sometimes(0.1, loseRequest) },
  F3: { name: "answers are lost", fault: sometimes(0.1, loseAnswer), unheard: 0.03 },
  F4: {
    name: "all answers to a request are lost",
    fault: (request, { isCallChosen }) => (isCallChosen(0.02) ? loseAnswer(request) : request.deliver()),
    unheard: 0.03,
  },
  F5: {
    name: "requests hang, half of them applied",
    fault: sometimes(0.02, halfApplied(hang)),
    hangs: true,
    environment: { DYNAMODB_TIMEOUT_MS: "300" },
  },
  F6: { name: "requests and answers are slow", fault: sometimes(0.5, slow) },
  F7: { name: "requests are throttled in bursts", fault: throttleInBursts, exhaustsQuota: true },
  F8: {
    name: "500 and 503, half of them applied",
    fault: sometimes(
      0.1,
      halfApplied((request, { random }) => random.pick([fail, beAway])(request)),
    ),
  },
  F9: { name: "requests are delivered twice", fault: sometimes(0.05, duplicate) },
  F10: { name: "retries overtake their originals", fault: sometimes(0.1, overtaken) },
  F11: {
    name: "reads that are not strongly consistent see the past",
    fault: async (request, { past }) => (await past.read(request)) ?? request.deliver(),
  },
  F12: {
    name: "expired items vanish or stay, clocks differ",
    ...{ fault: pass, isSkewed: true, environment: short, deletesExpired: true },
  },
  F13: {
    name: "outages of a minute, then everybody at once",
    ...{ fault: pass, hasOutages: true, exhaustsQuota: true },
  },
  F14: {
    name: "all at once, and functions are killed",
    async fault(request, scene) {
      const faults = [slow, throttleInBursts, sometimes(0.1, loseAnswer), sometimes(0.05, duplicate)];
      return scene.random.pick(faults)(request, scene);
    },
    ...{ unheard: 0.03, isSkewed: true, environment: short, deletesExpired: true, killed: 0.05 },
    exhaustsQuota: true,
  },
};
