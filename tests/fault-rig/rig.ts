import { randomUUID } from "node:crypto";
import type { ApiResponse } from "../../lib/http/response.ts";
import { clock } from "../support/clock.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { keepTokens, type Pair, pairOf } from "../support/pair.ts";
import { type EngineKind, keyHeader, type Service } from "../support/service.ts";
import type { Fault, WireRequest } from "../support/wire.ts";
import { createPast } from "./past.ts";
import type { Profile } from "./profiles.ts";
import { createRandom, type Random } from "./random.ts";
import { createRecorder } from "./recorder.ts";

/** Who calls. */
export type Actor = "browser" | "thief" | "forger";

/** One call of a function and what came of it; `…At` number what happens in a run, `…Time` is the clock. */
export interface Call {
  requestId: string;
  route: RouteName;
  by: Actor;
  email: string;
  /** What its function runs on. */
  engine: EngineKind;
  key: string | undefined;
  presented: Pair | undefined;
  /** It ends the other sessions only. */
  keepsOwn: boolean;
  /** The user's epoch when it began. */
  epochBefore: number;
  startedAt: number;
  endedAt: number;
  startTime: number;
  endTime: number;
  /** 0: the function was killed and nobody knows. */
  status: number;
  code: string | undefined;
  issued: Pair | undefined;
  /** When the issued pair's session ends, as the cookie says. */
  expiresAt: number;
  /** Whether a cookie came that clears the pair. */
  isCleared: boolean;
  hasCookies: boolean;
  /** The cookie by which a browser is known at its next login. */
  device: string | undefined;
  /** The answer reached the client. */
  isHeard: boolean;
  durationMs: number;
}

/** What a client asks for. */
export interface Asked {
  route: RouteName;
  by: Actor;
  email: string;
  presented?: Pair | undefined;
  key?: string | undefined;
  body?: unknown;
  cookies?: string[];
  keepsOwn?: boolean;
  /** It was asked before, and met 503 or nothing. */
  isRepeat?: boolean;
}

/** A session as its owner knows it. */
export interface OpenedSession {
  email: string;
  /** Counted from the beginning of its login. */
  startedAt: number;
  /** When a thief copied a pair of it. */
  stolenAt?: number;
}

/**
 * A request is answered after so long at most: with what is still under way then (profiles.ts) no pair is older than
 * the 7 s within which the model promises an honest client its session (docs/rotation.md), however busy the machine.
 */
const remainingMs = 4_500;

/** What the clients of the rig call. */
const routes = ["login", "refresh", "logout", "movies", "revokeAllSessions", "changePassword"] as const;

/** The rig of one run. */
export type Rig = Awaited<ReturnType<typeof createRig>>;

/** What a run needs of a service. */
type RigService = Pick<
  Service,
  "engine" | "database" | "environment" | "wire" | "createSandbox" | "register"
>;

/** A service on an engine of each kind, with one database; their sandboxes share the work of a run. */
export type RigServices = readonly [aws: RigService, embedded: RigService];

interface RigOptions {
  services: RigServices;
  profile: Profile;
  seed: string;
}

/** Puts the services behind the faults of a profile. */
export async function createRig({ services, profile, seed }: RigOptions) {
  let ticks = 0;
  const tick = () => ++ticks;
  const past = createPast();
  const recorder = createRecorder({ tick, past });
  const random = createRandom(seed);
  const calls: Call[] = [];
  const sessions = new Map<string, OpenedSession>();
  const underWay = new Set<Promise<unknown>>();
  const chosen = new Map<string, boolean>();
  const turns = new Map<string, number>();
  let isAway = false;
  let onlyEngine: EngineKind | undefined;
  let onKill: Fault | undefined;

  let operations = 0;
  const { skewSeconds = 0 } = profile;
  const skews = skewSeconds === 0 ? [0, 0] : [0, skewSeconds, -skewSeconds];
  // One for each engine would do, but for the SDK: a client with that many calls uses up its quota of retries, and gives up.
  const sandboxes = services.flatMap(({ engine, createSandbox }) =>
    skews.map((skew) => ({ engine, skew, sandbox: createSandbox(profile.environment) })),
  );
  const [, { engine, createSandbox, wire }] = services;
  const forged = createSandbox({ DYNAMODB_ENDPOINT: `${wire.endpoint}/forger` });

  // Code is loaded before it counts: requests that wait for it would run into their time-outs.
  for (const { sandbox } of sandboxes) {
    for (const route of routes) await sandbox[route]();
  }
  await forged.refresh();

  /** What a fault is decided by: the seed, what is asked for whom, and how often it has been asked. */
  function randomOf({ name, parameters }: WireRequest): Random {
    const { email, userId } = parameters.Key ?? parameters.Item ?? {};
    const about = `${name} ${email?.S ?? userId?.S ?? ""}`;
    const turn = (turns.get(about) ?? 0) + 1;
    turns.set(about, turn);
    return createRandom(`${seed} ${about} ${turn}`);
  }

  breakAll((request) => {
    const watched = recorder.watch({ ...request, deliver: (changed) => track(request.deliver(changed)) });
    if (request.path.startsWith("/forger")) {
      recorder.violations.push({ invariant: "I9", text: `a forged pair led to ${request.name}` });
    }
    if (request.path.startsWith("/killed") && onKill) return track(onKill(watched));
    if (isAway) return Promise.resolve(undefined);
    const decided = randomOf(request);
    const answer = profile.fault(watched, {
      random: decided,
      past,
      isCallChosen(share) {
        const isChosen = chosen.get(request.invocationId) ?? decided.isTrue(share);
        chosen.set(request.invocationId, isChosen);
        return isChosen;
      },
      later: (act) => track(act()),
    });
    return profile.hangs ? answer : track(answer);
  });

  function breakAll(fault: Fault): void {
    for (const { wire } of services) wire.break("", fault, { times: Number.POSITIVE_INFINITY });
  }

  /** Remembers what must have happened before a round ends. */
  function track<T>(promise: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = promise.catch(() => undefined).then(() => underWay.delete(settled));
    underWay.add(settled);
    return promise;
  }

  async function call(asked: Asked): Promise<Call> {
    if (!asked.isRepeat) operations++;
    const usable = sandboxes.filter(({ engine }) => engine === (onlyEngine ?? engine));
    const as = asked.by === "forger" ? { engine, skew: 0, sandbox: forged } : random.pick(usable);
    const begun = begin(asked, as.engine);
    const event = createEvent(asked.route, requestOf(asked));
    const start = performance.now();
    const invoke = () => as.sandbox.invoke(asked.route, event, remainingMs, begun.requestId);
    const response = await (as.skew === 0 ? invoke() : clock.runAt(clock.now + as.skew, invoke));
    return end(begun, response, performance.now() - start);
  }

  function begin(asked: Asked, engine: EngineKind) {
    const { route, by, email, presented, key, keepsOwn = false } = asked;
    const about = { requestId: randomUUID(), route, by, email, engine, presented, key, keepsOwn };
    return { ...about, epochBefore: recorder.epochOf(email), startedAt: tick(), startTime: clock.now };
  }

  function end(begun: ReturnType<typeof begin>, response: ApiResponse | undefined, durationMs: number): Call {
    const call: Call = {
      ...begun,
      ...readResponse(response),
      endedAt: tick(),
      endTime: clock.now,
      isHeard: response !== undefined && !random.isTrue(profile.unheard ?? 0),
      durationMs,
    };
    calls.push(call);
    if (begun.route === "login" && call.issued) {
      sessions.set(call.issued.key.sessionId, { email: begun.email, startedAt: begun.startedAt });
    }
    return call;
  }

  return {
    services,
    profile,
    seed,
    random,
    recorder,
    past,
    calls,
    sessions,
    /** How many requests were made, repeats aside. */
    get operations(): number {
      return operations;
    },
    tick,
    call,
    begin,
    end,
    /** How far two clocks of sandboxes may differ. */
    spreadSeconds: 2 * skewSeconds,

    /** Has only the functions on this engine called. */
    setEngine(engine: EngineKind): void {
      onlyEngine = engine;
    },

    /** Whether DynamoDB is away altogether. */
    setAway(value: boolean): void {
      isAway = value;
    },

    /** What befalls the requests of a function that is to be killed. */
    setKill(kill: Fault | undefined): void {
      onKill = kill;
    },

    /** Waits until nothing is on its way to the tables any more. */
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
      chosen.clear();
      for (const { wire } of services) wire.forget();
    },

    /** Ends all faults. */
    mend(): void {
      for (const { wire } of services) wire.mend();
      breakAll((request) => recorder.watch(request).deliver());
    },
  };
}

/** The request as a browser sends it. */
export function requestOf({ presented, cookies = [], key, body, keepsOwn }: Asked): ClientRequest {
  return {
    cookies: [...(presented?.cookies ?? []), ...cookies],
    headers: keyHeader(key),
    ...(body !== undefined && { body }),
    ...(keepsOwn && { query: { except: "current" } }),
  };
}

function readResponse(response: ApiResponse | undefined) {
  const { statusCode = 0, cookies = [], body } = response ?? {};
  const [line = ""] = cookies;
  const isCleared = line.includes("Max-Age=0");
  const hasPair = cookies.length > 0 && !isCleared;
  if (body) keepTokens(body);
  const issued = hasPair ? pairOf(response as ApiResponse) : undefined;
  return {
    status: statusCode,
    code: statusCode >= 400 ? String(JSON.parse(body ?? "{}").code) : undefined,
    issued,
    expiresAt: issued ? issued.claims.iat + Number(/Max-Age=(\d+)/.exec(line)?.[1]) : 0,
    isCleared,
    hasCookies: cookies.length > 0,
    device: cookies.find((cookie) => /^[\w-]+-device=/.test(cookie))?.split(";")[0],
  };
}
