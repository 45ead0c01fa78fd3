import { type Action as AnyAction, Violation } from "../explore.ts";
import { applyUpdate } from "../memory-table.ts";
import type { NextStep, Outcome } from "./use-case.ts";
import {
  type Answer,
  type Call,
  type Copy,
  generationOf,
  type Item,
  type Key,
  type Keys,
  later,
  type Pair,
  type Request,
  shift,
  shiftCall,
  type Token,
  type World,
} from "./world.ts";

/** What must hold in every schedule. */
const invariants = {
  oneChain: "a rotation replaces the current token by its successor, and nothing ever leads back",
  currentPair: "every 200 carries the pair that is current at the instant of the deciding step",
  noGrandparent: "no 200 for anything older than the predecessor",
  notRefusedWhileLiving: "token expired is answered only when the session is over",
  provenRepeat: "the current pair, a proven repeat and one's own write are never taken for a replay",
  keyNeeded:
    "whoever lacks the session's Session-Key, or the key of its browser, gets nothing and changes nothing",
  unavailable: "a store that does not answer makes the request unavailable, never refused",
  noRevival: "nothing brings a deleted session back or writes to one whose time is over",
  noExpired: "no 200 from a session whose time is over",
  logoutIsFinal: "no 200 for a request that starts after an answered logout",
  honestKeepsSession: "an honest browser with the key never loses its session",
  thiefFound: "a thief who only repeats what it copied gets nothing once the victim was given so many pairs",
  thiefOrVictim:
    "thief and victim never both get past a rotation of a keyed session; with the keys, past two",
} as const;

const keysOf = ({ key, previous }: Keys): Keys => ({ key, previous });
const noKeys: Keys = { key: null, previous: null };

function hold(invariant: keyof typeof invariants, isHeld: boolean, what: () => string): void {
  if (!isHeld) throw new Violation(`${invariant}: ${invariants[invariant]}: ${what()}`);
}

export interface Scope {
  keyed: boolean;
  /**
   * The browser's tabs send no key, one for all refreshes, or as our client random ones: each is chosen when an answer
   * is stored, and the one before goes along.
   */
  keys: "none" | "one" | "random";
  /** The session was opened with this Session-Key, which the browser sends and no thief. */
  sessionKey?: Key;
  /** That key is none that is sent, but one of the browser, to which the session is bound. */
  isDeviceBound?: boolean;
  /** The tabs leave a pair alone until it is so old. Seconds; 0: they refresh at any time. */
  browserWaitsSeconds: number;
  /** What a thief of the cookie sends as Idempotency-Key; none: there is no thief. `copied`: the browser's, then. */
  thiefKeys: (Key | "copied" | null)[];
  /** The thief sends nothing but the pair it copied, and is found once the browser has been given so many after it. */
  foundAfter?: number;
  /**
   * The browser may be killed, once: its storage holds what it held, the cookie jar what it held up to 30 s ago. Killed
   * again before the next rotation, at least a minute later and in the first 30 s after an answer, it would log in anew.
   */
  canBeKilled?: boolean;
  hasLogout: boolean;
  jumps: number[];
  /** How long a request may be under way, from its start at the client to the client's answer. Seconds. */
  underWaySeconds: number;
}

type Action = AnyAction<World>;

/** Lists everything that can happen in a world; events only if there is room for them. Applying an action throws Violation. */
export function createActions(scope: Scope, nextStep: NextStep) {
  const hasCopiedKeys = scope.thiefKeys.includes("copied");

  return function listActions(world: World, hasRoom: boolean): Action[] {
    const steps = world.requests.map((request) => step(world, request));
    if (!hasRoom) return steps;
    const underWay = world.requests.filter(({ issued }) => issued === null);
    const losses = underWay.map((request) => lostAnswer(world, request));
    const landings = world.copies.map((copy) => landing(world, copy));
    return [...steps, ...sends(world), ...kills(world), ...jumps(world), ...losses, ...landings];
  };

  function sends(world: World): Action[] {
    const { jar, stolen, storage } = world;
    const { token: presented, rotatedAt } = jar;
    const actions: Action[] = [];
    const add = (name: string, apply: () => World) => actions.push({ name, isEvent: true, apply });
    const send = (sent: Pick<Request, "kind" | "who" | "presented" | "keys" | "sessionKey">): World => {
      const request: Request = {
        ...{ ...sent, salt: world.salts, sentAt: 0, isAfterLogout: world.isLogoutAnswered },
        ...{ clock: null, answers: [], call: null, issued: null },
      };
      return { ...world, salts: world.salts + 1, requests: [...world.requests, request] };
    };
    const browser = { who: "browser", presented, sessionKey: scope.sessionKey ?? null } as const;
    if (rotatedAt === null || rotatedAt <= -scope.browserWaitsSeconds) {
      add(`the browser sends ${presented}`, () =>
        send({ ...browser, kind: "refresh", keys: keysOf(storage) }),
      );
    }
    if (scope.hasLogout && !world.isLogoutAnswered) {
      add("the browser logs out", () => send({ ...browser, kind: "logout", keys: noKeys }));
    }
    if (scope.thiefKeys.length > 0 && stolen.length === 0) {
      const stolenKeys = hasCopiedKeys ? keysOf(storage) : noKeys;
      add(`a thief copies ${presented}`, () => {
        const robbed = { ...world, stolen: [presented], stolenKeys };
        return world.item ? withProgress(robbed, "browser", world.item.tokenHash) : robbed;
      });
    }
    for (const token of scope.foundAfter === undefined ? stolen : stolen.slice(0, 1))
      for (const key of scope.thiefKeys) {
        const name = `the thief sends ${token} with ${key ?? "no key"}`;
        const { stolenKeys } = world;
        const keys = key === "copied" ? stolenKeys : { key, previous: stolenKeys.key };
        const thief = { who: "thief", presented: token, keys, sessionKey: null } as const;
        add(name, () => send({ ...thief, kind: "refresh" }));
      }
    return actions;
  }

  /** What was under way when the browser was killed is a request that is never answered. */
  function kills(world: World): Action[] {
    const { onDisk, requests, wasKilled } = world;
    if (!scope.canBeKilled || wasKilled || !onDisk || requests.length > 0) return [];
    const { until: _, ...jar } = onDisk;
    return [
      {
        name: "the browser is killed",
        isEvent: true,
        apply: () => ({ ...world, jar, onDisk: null, wasKilled: true }),
      },
    ];
  }

  /** Whoever has been sent may or may not have read the clock before it jumps. */
  function jumps(world: World): Action[] {
    return scope.jumps.flatMap((seconds) => {
      const survivors = world.requests.filter(
        ({ clock, issued, sentAt }) =>
          clock === null && issued === null && seconds - sentAt <= scope.underWaySeconds,
      );
      return subsets(survivors).map((starting): Action => {
        const started = starting.map(({ presented }) => presented).join(" and ");
        return {
          name: `${started && `${started} starts, `}${seconds} s pass`,
          isEvent: true,
          async apply() {
            let next = world;
            for (const request of starting) next = replace(next, request, await start(request));
            return later(next, seconds, scope.underWaySeconds);
          },
        };
      });
    });
  }

  /** A request comes on by itself: to the table, or its answer to the browser. */
  function step(world: World, request: Request): Action {
    const { issued } = request;
    if (!issued) {
      const name = `${nameOf(request)} reaches the table`;
      return { name, isEvent: false, apply: () => acknowledge(world, request) };
    }
    const name = `the browser is answered ${issued.token}`;
    return {
      name,
      isEvent: false,
      apply: () => replace(receive(world, request, issued), request, undefined),
    };
  }

  /** The key of the next refresh is chosen, if none was chosen in the last minute. */
  function receive(world: World, { keys }: Request, issued: Pair): World {
    const { jar, storage, salts } = world;
    const onDisk = scope.canBeKilled && jar.token !== issued.token ? { ...jar, until: 30 } : world.onDisk;
    const isOld = storage.key === keys.key && storage.chosenAt <= -60;
    if (scope.keys !== "random" || !isOld) return { ...world, jar: issued, onDisk };
    const next = { key: `key ${salts}`, previous: keys.key, chosenAt: 0 };
    return { ...world, jar: issued, onDisk, storage: next, salts: salts + 1 };
  }

  /** A write is applied, and the SDK, which does not learn of it, will send it again. */
  function lostAnswer(world: World, request: Request): Action {
    return {
      name: `${nameOf(request)} reaches the table, the answer is lost`,
      isEvent: true,
      async apply() {
        const started = await start(request);
        const { after, isWritten } = write(world.item, started.call as Call, started.clock as number);
        return isWritten && after !== world.item ? withItem(replace(world, request, started), after) : null;
      },
    };
  }

  function landing(world: World, copy: Copy): Action {
    return {
      name: `a late copy of the ${copy.call.is} arrives`,
      isEvent: true,
      apply() {
        const { after, isWritten } = write(world.item, copy.call, copy.clock);
        if (!isWritten) return null;
        return withItem({ ...world, copies: world.copies.filter((other) => other !== copy) }, after);
      },
    };
  }

  /** The function starts: it reads its clock and comes to its first store call. */
  async function start(request: Request): Promise<Request> {
    if (request.clock !== null) return request;
    const step = await nextStep(request);
    if (!("call" in step)) throw new Error("a genuine pair comes to a store call");
    await assertUnavailable(request);
    return { ...request, clock: 0, call: step.call };
  }

  async function assertUnavailable(request: Request): Promise<void> {
    const step = await nextStep({ ...request, answers: [...request.answers, { is: "unavailable" }] });
    const isUnavailable = "outcome" in step && codeOf(step.outcome) === "unavailable";
    hold("unavailable", isUnavailable, () => JSON.stringify(step));
  }

  async function acknowledge(world: World, unstarted: Request): Promise<World> {
    const request = await start(unstarted);
    const clock = request.clock as number;
    const call = request.call as Call;
    const { after, isWritten } = write(world.item, call, clock);
    const seen = after && shift(after, -clock);
    const written = withCopies(withItem(world, after), { call, clock, sentAt: request.sentAt });
    const answer: Answer =
      call.is === "delete" ? { is: "deleted" } : { is: isWritten ? "written" : "refused", item: seen };
    const answered = { ...request, answers: [...request.answers, answer] };
    const step = await nextStep(answered);
    if ("outcome" in step) return end(written, unstarted, answered, step.outcome);
    if (step.call.is === "delete" && seen) checkReplay(answered, seen);
    await assertUnavailable(answered);
    return replace(written, unstarted, { ...answered, call: step.call });
  }

  /** Keeps the copies that would do something now: a condition that is false once is false for good. */
  function withCopies(world: World, copy: Copy): World {
    const copies = [...world.copies, copy].filter(({ call, clock }) => {
      return call.is === "delete" ? world.item !== null : attempt(world.item, call, clock) !== null;
    });
    return { ...world, copies };
  }

  function attempt(item: Item | null, call: Call, clock: number): Item | null {
    const ours = shiftCall(call, clock);
    return ours.is === "delete" ? null : (applyUpdate(item && { ...item }, ours) as Item | null);
  }

  function write(before: Item | null, call: Call, clock: number): { after: Item | null; isWritten: boolean } {
    if (call.is === "delete") return { after: null, isWritten: true };
    const after = attempt(before, call, clock);
    if (!after) return { after: before, isWritten: false };
    const what = () => `${JSON.stringify(before)} became ${JSON.stringify(after)}`;
    hold("noRevival", before !== null && before.expiresAt > clock, what);
    const isChained =
      before?.tokenHash === after.tokenHash
        ? before.previousTokenHash === after.previousTokenHash
        : before?.tokenHash === after.previousTokenHash &&
          generationOf(after.tokenHash) === generationOf(after.previousTokenHash ?? after.tokenHash) + 1;
    hold("oneChain", isChained && (after.rotatedAtMs ?? 0) >= (before?.rotatedAtMs ?? -Infinity), what);
    return { after, isWritten: true };
  }

  function checkReplay({ presented, keys, salt, who, sessionKey }: Request, seen: Item): void {
    const { key } = keys;
    const what = () => `${presented} by the ${who}, with ${key ?? "no key"}, met ${JSON.stringify(seen)}`;
    const hasKey = key !== null && key === seen.rotationKeyHash;
    const isProven = seen.previousTokenHash === presented && (hasKey || scope.isDeviceBound === true);
    const isOwn = seen.rotationSalt === `salt ${salt}`;
    hold("provenRepeat", seen.tokenHash !== presented && !isProven && !isOwn, what);
    hold("keyNeeded", sessionKey === (scope.sessionKey ?? null), what);
    const isHonest =
      (scope.keys !== "none" || scope.isDeviceBound) &&
      (scope.thiefKeys.length === 0 || scope.sessionKey !== undefined);
    hold("honestKeepsSession", !isHonest, what);
  }

  function end(world: World, unstarted: Request, request: Request, outcome: Outcome): World {
    if (outcome === "done") return replace({ ...world, isLogoutAnswered: true }, unstarted, undefined);
    if (!("token" in outcome)) {
      checkRefusal(world, request, outcome.code);
      return replace(world, unstarted, undefined);
    }
    const pair = checkSuccess(world, request, outcome);
    const next = withGiven(withProgress(world, request.who, pair.token), request.who, pair.token);
    if (request.who === "thief") {
      const { foundAfter = Infinity } = scope;
      hold("thiefFound", world.given < foundAfter, () => `${pair.token} for ${request.presented}`);
      const stolen = next.stolen.includes(pair.token) ? next.stolen : [...next.stolen, pair.token];
      return replace({ ...next, stolen }, unstarted, undefined);
    }
    // The age of a pair matters only to a browser that waits for it.
    const issued = scope.browserWaitsSeconds === 0 ? { ...pair, rotatedAt: null } : pair;
    const forgotten = { sessionKey: null, isAfterLogout: false, clock: null, answers: [], call: null };
    return replace(next, unstarted, { ...request, ...forgotten, issued });
  }

  /** Notes who has been issued a pair so many generations after the stolen one. */
  function withProgress(world: World, who: Request["who"], token: Token): World {
    const { stolen } = world;
    const allowed = hasCopiedKeys ? 1 : 0;
    if (stolen[0] === undefined || generationOf(token) <= generationOf(stolen[0]) + allowed) return world;
    const isAheadOfTheft = { ...world.isAheadOfTheft, [who]: true };
    hold(
      "thiefOrVictim",
      !scope.keyed || !isAheadOfTheft.browser || !isAheadOfTheft.thief,
      () => `both hold pairs of ${JSON.stringify(world.item)}`,
    );
    return { ...world, isAheadOfTheft };
  }

  /** Notes that the browser has been given the present pair, if that is one after the stolen one. */
  function withGiven(world: World, who: Request["who"], token: Token): World {
    const [stolen = token] = world.stolen;
    const counts = scope.foundAfter !== undefined && who === "browser" && !world.isGiven;
    if (!counts || generationOf(token) <= generationOf(stolen)) return world;
    return { ...world, given: world.given + 1, isGiven: true };
  }

  function checkSuccess(
    { item }: World,
    request: Request,
    { token, ...issued }: Extract<Outcome, { token: unknown }>,
  ): Pair {
    const { presented } = request;
    const clock = request.clock as number;
    const rotatedAt = issued.rotatedAt === null ? null : issued.rotatedAt + clock;
    const what = () => `${token} of ${rotatedAt} for ${presented}, the table holds ${JSON.stringify(item)}`;
    // Whoever has the current pair of a bound session gets no other one for it.
    const isUnchanged = scope.isDeviceBound === true && token === presented;
    hold("keyNeeded", isUnchanged || request.sessionKey === (scope.sessionKey ?? null), what);
    hold("logoutIsFinal", !request.isAfterLogout, what);
    hold("noGrandparent", presented === item?.tokenHash || presented === item?.previousTokenHash, what);
    hold("currentPair", token === item?.tokenHash && rotatedAt === (item.rotatedAtMs ?? null), what);
    hold("noExpired", item !== null && item.expiresAt > clock, what);
    return { token: token as Token, rotatedAt };
  }

  function checkRefusal({ item }: World, { clock, presented, who }: Request, code: string): void {
    const isKeyless = code === (scope.isDeviceBound ? "device_proof_required" : "session_key_required");
    if (code === "unavailable" || (isKeyless && who === "thief")) return;
    const isOver = item === null || item.expiresAt <= (clock as number);
    const what = () => `${code} for ${presented}, the table holds ${JSON.stringify(item)}`;
    hold("notRefusedWhileLiving", code === "token_expired" && isOver, what);
  }
}

function codeOf(outcome: Outcome): string | undefined {
  return typeof outcome === "object" && "code" in outcome ? outcome.code : undefined;
}

/** Each write makes another pair: another JWT at least. */
function withItem(world: World, item: Item | null): World {
  return { ...world, item, isGiven: world.isGiven && item === world.item };
}

function replace(world: World, request: Request, next: Request | undefined): World {
  const requests = world.requests.flatMap((other) => (other !== request ? [other] : next ? [next] : []));
  return { ...world, requests };
}

function nameOf({ who, kind, presented }: Request): string {
  return `${who}'s ${kind === "logout" ? "logout" : presented}`;
}

function subsets<T>(values: T[]): T[][] {
  return values.reduce<T[][]>((sets, value) => sets.flatMap((set) => [set, [...set, value]]), [[]]);
}
