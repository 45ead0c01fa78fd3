import { setTimeout } from "node:timers/promises";
import type { Answer } from "../support/database.ts";
import { beAway, deliverTwice, exceed, fail, hang, loseAnswer, loseRequest } from "../support/faults.ts";
import type { WireRequest } from "../support/wire.ts";
import type { Past } from "./past.ts";
import type { Random } from "./random.ts";

/** What a profile knows when it decides about a request. */
export interface Scene {
  /** Of this request: the same seed decides the same. */
  random: Random;
  /** Answers the same for all attempts of one call of the SDK. */
  isCallChosen(share: number): boolean;
  /** Has something happen after the answer; the round does not end before it has. */
  later(act: () => Promise<unknown>): void;
  /** What the tables held a second ago. */
  past: Past;
}

/** One kind of trouble between the service and DynamoDB, and around it. */
export interface Profile {
  name: string;
  fault: (request: WireRequest, scene: Scene) => Promise<Answer | undefined>;
  /** Some requests are never answered. */
  hangs?: boolean;
  /** This share of the answers of the service never reaches its client. */
  unheard?: number;
  /** The clocks of the sandboxes are up to so many seconds before or behind. */
  skewSeconds?: number;
  /** Lifetimes other than the defaults. */
  environment?: Record<string, string>;
  /** DynamoDB deletes expired items, some of them, some time. */
  deletesExpired?: boolean;
  /** Every so many rounds DynamoDB is away for a minute, and then all clients come at once. */
  outageEvery?: number;
  /** Every so many operations a function is killed while its request is under way. */
  killsEvery?: number;
  /** At most this share of the calls may be answered 503: the faults that hit all attempts, and half a percent. */
  unavailable: number;
}

const pass = (request: WireRequest) => request.deliver();

/** Two seconds are enough for two retries of the SDK (after 0.8 s each) to overtake the first attempt. */
const heldMs = 2_000;

/** A round waits for all that is under way, and the tail of the distribution has no end. */
const maxSlowMs = 4_000;

async function slow(request: WireRequest, { random }: Scene) {
  const delay = Math.min(random.logNormal(5, 2_000), maxSlowMs);
  const isBefore = random.isTrue(0.5);
  if (isBefore) await setTimeout(delay);
  const answer = await request.deliver();
  if (!isBefore) await setTimeout(delay);
  return answer;
}

async function duplicate(request: WireRequest, { random, later }: Scene) {
  // A session's put has one attempt; a copy of it that comes after the session's end would be a new session.
  if (request.name === "PutItem sessions") return deliverTwice(request);
  const delay = random.next() * heldMs;
  const answer = await request.deliver();
  later(async () => {
    await setTimeout(delay);
    await request.deliver();
  });
  return answer;
}

function createBursts() {
  let endsAt = 0;
  return (request: WireRequest, { random }: Scene) => {
    const now = performance.now();
    if (now > endsAt && random.isTrue(0.004)) endsAt = now + 1_000;
    return now < endsAt ? exceed(request) : request.deliver();
  };
}

const throttleInBursts = createBursts();
const sometimes =
  (share: number, fault: Profile["fault"]): Profile["fault"] =>
  (request, scene) =>
    scene.random.isTrue(share) ? fault(request, scene) : request.deliver();

/** The profiles of CI. */
export const profiles: Record<string, Profile> = {
  F1: { name: "no faults", fault: pass, unavailable: 0 },
  F2: { name: "requests are lost", fault: sometimes(0.1, loseRequest), unavailable: 0.006 },
  F3: { name: "answers are lost", fault: sometimes(0.1, loseAnswer), unheard: 0.03, unavailable: 0.006 },
  F4: {
    name: "all answers to a request are lost",
    fault: (request, { isCallChosen }) => (isCallChosen(0.02) ? loseAnswer(request) : request.deliver()),
    unheard: 0.03,
    unavailable: 0.05,
  },
  F5: {
    name: "requests hang, half of them applied",
    fault: sometimes(0.05, async (request, { random }) => {
      if (random.isTrue(0.5)) await request.deliver();
      return hang(request);
    }),
    hangs: true,
    unavailable: 0.01,
  },
  F6: { name: "requests and answers are slow", fault: slow, unavailable: 0.01 },
  F7: { name: "requests are throttled in bursts", fault: throttleInBursts, unavailable: 0.4 },
  F8: {
    name: "500 and 503, half of them applied",
    fault: sometimes(0.1, async (request, { random }) => {
      if (random.isTrue(0.5)) await request.deliver();
      return random.pick([fail, beAway])(request);
    }),
    unavailable: 0.006,
  },
  F9: { name: "requests are delivered twice", fault: sometimes(0.05, duplicate), unavailable: 0 },
  F10: {
    name: "retries overtake their originals",
    fault: sometimes(0.1, async (request, { random }) => {
      await setTimeout(random.next() * heldMs);
      return request.deliver();
    }),
    unavailable: 0.006,
  },
  F11: {
    name: "reads that are not strongly consistent see the past",
    fault: (request, { past }) => past.read(request) ?? request.deliver(),
    unavailable: 0,
  },
  F12: {
    name: "expired items vanish or stay, clocks differ",
    fault: pass,
    skewSeconds: 2,
    environment: { REFRESH_TOKEN_TTL_SECONDS: "1500", SESSION_MAX_AGE_SECONDS: "6000" },
    deletesExpired: true,
    unavailable: 0,
  },
};

/** These take a night. */
export const nightProfiles: Record<string, Profile> = {
  F13: {
    name: "outages of a minute, then everybody at once",
    fault: pass,
    outageEvery: 5,
    unavailable: 0.6,
  },
  F14: {
    name: "all at once, and functions are killed",
    async fault(request, scene) {
      const faults = [slow, throttleInBursts, sometimes(0.1, loseAnswer), sometimes(0.05, duplicate)];
      return scene.random.pick(faults)(request, scene);
    },
    unheard: 0.03,
    skewSeconds: 2,
    environment: { REFRESH_TOKEN_TTL_SECONDS: "1500", SESSION_MAX_AGE_SECONDS: "6000" },
    deletesExpired: true,
    killsEvery: 200,
    unavailable: 0.4,
  },
};
