import { randomUUID } from "node:crypto";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { CodeKind } from "../../lib/mail/kinds.ts";
import type { Answer } from "../../local/wire.ts";
import { clock } from "../support/clock.ts";
import { createCodesWithoutMail } from "../support/codes-without-mail.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import type { Mailbox } from "../support/mailbox.ts";
import { keepTokens, type Pair, pairOf } from "../support/pair.ts";
import { keyHeaders, type Service } from "../support/service.ts";
import type { WireRequest } from "../support/wire.ts";
import { createPast } from "./past.ts";
import type { Profile } from "./profiles.ts";
import { createRandom, type Random } from "./random.ts";
import { createRecorder } from "./recorder.ts";

export interface Asked {
  route: RouteName;
  by: "browser" | "thief" | "forger";
  /** Whose account it is about: the address that it had when the run began. */
  email: string;
  /** The address that the account has once it is done. */
  address?: string;
  presented?: Pair | undefined;
  key?: string | undefined;
  sessionKey?: string | undefined;
  body?: unknown;
  /** Which code of a second factor is in the body: that of a step, or from paper. */
  proof?: string | undefined;
  cookies?: string[];
  /** It ends the other sessions only. */
  keepsOwn?: boolean;
  /** It was asked before, and met 503 or nothing. */
  isRepeat?: boolean;
}

/** One call of a function and what came of it; `…At` number what happens in a run, `…Time` is the clock. */
export interface Call extends Asked, ReturnType<typeof readResponse> {
  /** The code that its challenge needs. */
  mailedCode: string | undefined;
  requestId: string;
  epochBefore: number;
  startedAt: number;
  endedAt: number;
  startTime: number;
  endTime: number;
  isHeard: boolean;
}

export interface OpenedSession {
  email: string;
  /** Counted from the beginning of its login. */
  startedAt: number;
  stolenAt?: number;
}

export type Rig = ReturnType<typeof createRig>;

export interface RunChoice {
  profile: Profile;
  seed: string;
}

/** More than any call takes; the one that takes longer on a busy machine is not judged (I10). */
const remainingMs = 30_000;
const skewSeconds = 2;

export function createRig(service: Service, mailbox: Mailbox, { profile, seed }: RunChoice) {
  const { wire, feed } = service;
  const { createSandbox } = mailbox;
  const { codeOf, mailCode } = createCodesWithoutMail(service);
  let ticks = 0;
  const tick = () => ++ticks;
  const past = createPast(() => ticks);
  const recorder = createRecorder({ tick, past });
  const random = createRandom(seed);
  const calls: Call[] = [];
  const sessions = new Map<string, OpenedSession>();
  const underWay = new Set<Promise<unknown>>();
  const chosen = new Map<string, boolean>();
  const troubled = new Map<string, number>();
  const turns = new Map<string, number>();
  const waiting: { isCall: boolean; left: number; goOn: () => void }[] = [];
  let [operations, activeCalls, exhausted] = [0, 0, 0];
  let [isAway, isMended] = [false, false];
  /** How many requests the one that is to be killed has left. */
  let life: number | undefined;

  // One sandbox would do, but for the SDK: a client with that many calls uses up its quota of retries, and gives up.
  const skews = profile.isSkewed ? [0, skewSeconds, -skewSeconds] : [0, 0];
  const sandboxes = skews.map((skew) => ({ skew, sandbox: createSandbox(profile.environment) }));
  const pathed = (path: string) => {
    const settings = { DYNAMODB_ENDPOINT: `${wire.endpoint}${path}`, DYNAMODB_TIMEOUT_MS: "10000" };
    return createSandbox({ ...profile.environment, ...settings });
  };
  const [forged, victim, calm] = [pathed("/forger"), pathed("/victim"), pathed("")];

  /** What a fault is decided by: the seed, what is asked for whom, and how often it has been asked. */
  function randomOf({ name, parameters }: WireRequest): Random {
    const [first] = parameters.TransactItems ?? [];
    const { identity, userId } =
      parameters.Key ?? parameters.Item ?? first?.Update?.Key ?? first?.Put?.Item ?? {};
    const about = `${name} ${identity?.S ?? userId?.S ?? ""}`;
    const turn = (turns.get(about) ?? 0) + 1;
    turns.set(about, turn);
    return createRandom(`${seed} ${about} ${turn}`);
  }

  async function befall(request: WireRequest): Promise<Answer | undefined> {
    const watched = recorder.watch({ ...request, deliver: (changed) => track(request.deliver(changed)) });
    if (request.path.startsWith("/forger")) recorder.report("I9", `a forged pair led to ${request.name}`);
    if (isMended) return watched.deliver();
    if (request.path.startsWith("/victim")) return outlive(watched);
    if (isAway) return undefined;
    const decided = randomOf(request);
    const hold = (isCall: boolean) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ isCall, left: 1 + decided.below(20), goOn: resolve });
      release();
      return promise;
    };
    let isCall = true;
    return profile.fault(watched, {
      random: decided,
      past,
      isCallChosen(share) {
        const isChosen = chosen.get(request.invocationId) ?? decided.isTrue(share);
        chosen.set(request.invocationId, isChosen);
        return isChosen;
      },
      wait: () => hold(isCall),
      later(act) {
        isCall = false;
        track(act());
      },
    });
  }

  /** A function that is killed sends nothing any more; its last request may have been applied. */
  async function outlive(request: WireRequest): Promise<Answer | undefined> {
    life = (life ?? 0) - 1;
    if (life < 0) return undefined;
    const answer = life > 0 || random.isTrue(0.5) ? await request.deliver() : undefined;
    return life > 0 ? answer : undefined;
  }

  /** Lets go on who has waited long enough; or the first, where every call waits. */
  function release(): void {
    const isStuck = waiting.filter(({ isCall }) => isCall).length >= activeCalls;
    const first = waiting.findIndex(({ left }) => left <= 0);
    const [next] = first >= 0 || isStuck ? waiting.splice(Math.max(0, first), 1) : [];
    next?.goOn();
  }

  wire.break(
    "",
    async (request) => {
      for (const entry of waiting) entry.left--;
      release();
      const answer = profile.hangs ? befall(request) : track(befall(request));
      noteTrouble(request, await answer);
      return answer;
    },
    { times: Number.POSITIVE_INFINITY },
  );

  /** Counts the calls of the SDK whose every attempt met trouble; a session's put has only one. */
  function noteTrouble({ name, invocationId }: WireRequest, answer: Answer | undefined): void {
    const isTrouble = !answer || answer.status >= 500 || /Throttl|Exceeded/.test(answer.body.slice(0, 200));
    if (!isTrouble) return;
    const attempts = (troubled.get(invocationId) ?? 0) + 1;
    troubled.set(invocationId, attempts);
    if (attempts === (name === "PutItem sessions" ? 1 : 3)) exhausted++;
  }

  /** Remembers what must have happened before a round ends. */
  function track<T>(promise: Promise<T>): Promise<T> {
    const settle = () => {
      underWay.delete(settled);
      release();
    };
    const settled = promise.then(settle, settle);
    underWay.add(settled);
    return promise;
  }

  async function call(asked: Asked): Promise<Call> {
    if (!asked.isRepeat) operations++;
    const isKilled = asked.by === "browser" && life === undefined && random.isTrue(profile.killed ?? 0);
    const { skew, sandbox } = chooseSandbox(asked, isKilled && !isMended);
    if (sandbox === victim) life = 1 + random.below(5);
    const { email } = asked;
    const begun = { epochBefore: recorder.epochOf(email), startedAt: tick(), startTime: clock.now };
    const requestId = randomUUID();
    const event = createEvent(asked.route, requestOf(asked));
    activeCalls++;
    const invoke = () => sandbox.invoke(asked.route, event, remainingMs, requestId);
    const response = await (skew === 0 ? invoke() : clock.runAt(clock.now + skew, invoke));
    activeCalls--;
    release();
    if (sandbox === victim) life = undefined;
    const isHeard = sandbox !== victim && (isMended || !random.isTrue(profile.unheard ?? 0));
    const read = readResponse(sandbox === victim ? undefined : response);
    const kind: CodeKind = asked.route === "forgotPassword" ? "reset" : "email";
    const code = read.challenge === undefined ? undefined : await codeOf(kind, read.challenge);
    const call: Call = {
      ...asked,
      ...begun,
      ...read,
      mailedCode: code,
      requestId,
      isHeard,
      endedAt: tick(),
      endTime: clock.now,
    };
    calls.push(call);
    if (["login", "changePassword", "confirmEmailChange"].includes(call.route) && call.issued)
      sessions.set(call.issued.key.sessionId, { email, startedAt: call.startedAt });
    return call;
  }

  function chooseSandbox({ by }: Asked, isKilled: boolean) {
    if (by === "forger") return { skew: 0, sandbox: forged };
    if (isMended) return { skew: 0, sandbox: calm };
    return isKilled ? { skew: 0, sandbox: victim } : random.pick(sandboxes);
  }

  return {
    ...{ profile, seed, random, recorder, calls, sessions, tick, call, mailCode },

    get operations(): number {
      return operations;
    },
    get exhausted(): number {
      return exhausted;
    },

    spreadSeconds: profile.isSkewed ? 2 * skewSeconds : 0,

    setAway(value: boolean): void {
      isAway = value;
    },
    mend(): void {
      isMended = true;
    },

    /** Has what changed told, and mails sent, in whatever trouble there is; answers whether all of it is done. */
    async tell(): Promise<boolean> {
      const choose = () => (isMended ? calm : random.pick(sandboxes).sandbox);
      const isTold = await feed("events", choose());
      return (await feed("mail", choose())) && isTold;
    },

    /** Answers whether a code has come to an address. */
    hasCome: (address: string, code: string): boolean =>
      mailbox.sent.some((mail) => mail.to[0] === address && mail.code === code),

    /** The newest token that came to an address: who has it undoes the change of that one. */
    findToken(email: string): string | undefined {
      const mail = mailbox.sent.findLast(({ to, link }) => to[0] === email && link.includes("kind=undo"));
      return mail?.link.split("token=")[1];
    },

    /** Waits until nothing is on its way to the tables any more. */
    async settle(): Promise<void> {
      while (underWay.size > 0) {
        release();
        await Promise.race(underWay);
      }
      chosen.clear();
      troubled.clear();
      wire.forget();
    },
  };
}

function requestOf({ presented, cookies = [], key, sessionKey, body, keepsOwn }: Asked): ClientRequest {
  return {
    cookies: [...(presented?.cookies ?? []), ...cookies],
    headers: keyHeaders({ key, sessionKey }),
    ...(body !== undefined && { body }),
    ...(keepsOwn && { query: { except: "current" } }),
  };
}

/** What came of a call; status 0: the function was killed and nobody knows. */
function readResponse(response: ApiResponse | undefined) {
  const { statusCode = 0, cookies = [], body } = response ?? {};
  // A login deletes what an earlier COOKIE_DOMAIN left, a logout all there is.
  const set = cookies.filter((cookie) => !cookie.includes("Max-Age=0"));
  const isDevice = (cookie: string) => /^[\w-]+-device=/.test(cookie);
  const line = set.find((cookie) => !isDevice(cookie));
  if (body) keepTokens(body);
  const answered = JSON.parse(body || "{}");
  const issued = line === undefined ? undefined : pairOf(response as ApiResponse);
  return {
    status: statusCode,
    code: statusCode >= 400 ? String(JSON.parse(body ?? "{}").code) : undefined,
    issued,
    /** When the issued pair's session ends, as the cookie says. */
    expiresAt: issued ? issued.claims.iat + Number(/Max-Age=(\d+)/.exec(`${line}`)?.[1]) : 0,
    isCleared: cookies.length > 0 && set.length === 0,
    hasCookies: cookies.length > 0,
    /** By this a browser is known at its next login. */
    device: set.find(isDevice)?.split(";")[0],
    /** What is answered to whoever asks for a code. */
    challenge: statusCode === 202 ? String(answered.challenge) : undefined,
    /** What a passkey answers. */
    passkeyChallenge: answered.rpId === undefined ? undefined : String(answered.challenge),
  };
}
