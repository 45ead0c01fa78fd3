import type { Action } from "../explore.ts";
import {
  type Answer,
  type Command,
  execute,
  type Keys,
  type Tables,
  textOf,
  writesOf,
} from "../memory-table.ts";
import { checkAnswer, checkRest, checkTables, checkWrite, type History } from "./invariants.ts";
import type { Outcome, Program, Runner, Trail } from "./run.ts";

export const keys: Keys = {
  users: ["userId"],
  identities: ["identity"],
  sessions: ["userId", "sessionId"],
  mails: ["id"],
};

export interface SessionKey {
  userId: string;
  sessionId: string;
}

export const keyOf = ({ userId, sessionId }: SessionKey): string => `${userId} ${sessionId}`;

/** What a client asks for, and asks for again while it is not answered. */
export interface Request {
  name: string;
  /** Made of the outcomes that the client knows. */
  program: (outcomes: Outcomes) => Program;
  /** On whose strength it writes. */
  session?: (outcomes: Outcomes) => SessionKey;
  /** A thief's requests change nothing any more once the owner has undone the change of address. */
  isThiefs?: boolean;
  isUndo?: boolean;
  /** It is sent after these have been answered. */
  after?: string[];
  /** It is sent only if there has been such a change: `thief's change: ada email`. */
  when?: string;
  /** It is sent once all the time of the scenario has passed. */
  isLate?: boolean;
  /** It is not sent again. */
  givesUp?: boolean;
  /** The outcomes that are right. */
  ends: string[];
  /** It is known again: what has taken effect is answered `done` however often it comes. */
  isKnownAgain?: boolean;
  /** What is true when it has been answered `done`, unless somebody else has changed it since. */
  promise?: (tables: Tables) => boolean;
}

export type Outcomes = Record<string, Outcome>;

export interface Scenario {
  name: string;
  tables: Tables;
  requests: Request[];
  /** What is so once nothing more is sent. */
  rest?: (world: World) => boolean;
  /** Seconds that pass, in this order, at any time. More than `minutes`: nothing is under way any longer. */
  jumps?: number[];
}

interface RequestState {
  attempts: number;
  /** Where the attempt under way stands. */
  trail?: Trail;
  /** How the last attempt ended; undefined: the client was not answered, or by a 503. */
  outcome?: Outcome;
}

export interface World {
  tables: Tables;
  /** Epoch seconds. */
  now: number;
  jumps: number;
  requests: Record<string, RequestState>;
  /** Writes that are still on the way, whoever has sent them. */
  copies: { request: string; command: Command }[];
  /** The tokens of the transactions that were done. */
  tokens: string[];
  history: History;
}

export const startedAt = 10_000_000;
/** Longer than anything is under way, and than DynamoDB knows the token of a transaction. */
export const minutes = 900;

const timeout = { error: { name: "TimeoutError" } };

export function createStart({ tables, requests }: Scenario): World {
  return {
    ...{ tables, now: startedAt, jumps: 0, copies: [], tokens: [] },
    requests: Object.fromEntries(requests.map(({ name }) => [name, { attempts: 0 }])),
    history: {
      changedBy: {},
      changes: {},
      endedBefore: {},
      held: Object.keys(tables.sessions ?? {}),
      ended: [],
    },
  };
}

/** Lists everything that can happen in a world; faults only if there is room for them. Applying an action throws Violation. */
export function createActions(scenario: Scenario, runner: Runner, maxAttempts: number) {
  const { requests, jumps = [] } = scenario;

  return async function listActions(world: World, hasRoom: boolean): Promise<Action<World>[]> {
    const underWay: Action<World>[] = [];
    for (const request of requests) underWay.push(...(await steps(world, request, hasRoom)));
    const rest = underWay.length > 0 ? [] : [atRest(world)];
    return [...underWay, ...rest, ...world.copies.map((copy) => landing(world, copy)), ...passing(world)];
  };

  function atRest(world: World): Action<World> {
    return {
      name: "nothing more is sent",
      isEvent: false,
      apply() {
        checkRest(world, scenario);
        return null;
      },
    };
  }

  function canBeSent(world: World, { name, after = [], when, isLate, givesUp }: Request): boolean {
    const { attempts } = world.requests[name] as RequestState;
    if (isLate && world.jumps < jumps.length) return false;
    if (isEnded(world, name) || attempts === (givesUp ? 1 : maxAttempts)) return false;
    return after.every((other) => isEnded(world, other)) && (when === undefined || isChanged(world, when));
  }

  /** A request as it is under way; one that can be sent is sent by its first step. */
  async function begin(
    world: World,
    request: Request,
  ): Promise<{ world: World; state: RequestState } | undefined> {
    const { name, after = [] } = request;
    const state = world.requests[name] as RequestState;
    if (state.trail) return { world, state };
    if (!canBeSent(world, request)) return undefined;
    const attempts = state.attempts + 1;
    const outcomes = outcomesOf(world);
    const given = JSON.stringify(after.map((other) => outcomes[other]));
    const trail = await runner.start(`${name}/${attempts}`, given, request.program(outcomes), world.now);
    const { endedBefore } = world.history;
    const ended = requests.map((other) => other.name).filter((other) => isEnded(world, other));
    const history = { ...world.history, endedBefore: { ...endedBefore, [name]: endedBefore[name] ?? ended } };
    return { world: { ...world, history }, state: { attempts, trail } };
  }

  /** What can become of each command that a request waits for: it is done and answered, or one of the faults. */
  async function steps(before: World, request: Request, hasRoom: boolean): Promise<Action<World>[]> {
    const { name } = request;
    const begun = await begin(before, request);
    if (!begun) return [];
    const { world, state } = begun;
    const trail = state.trail as Trail;
    const { outcome } = trail;
    if (outcome) {
      const apply = () => end(world, name, state.attempts, outcome);
      return [{ name: `${name} is answered at once`, isEvent: false, apply }];
    }
    return trail.pending.flatMap(({ index, command }): Action<World>[] => {
      const action = (fault: string, apply: Action<World>["apply"]): Action<World> => {
        return { name: `${name}: ${describe(command)}${fault}`, isEvent: fault !== "", apply };
      };
      const written = () => write(world, name, command);
      const done = action("", () => answered(written().world, written().answer));
      if (!hasRoom) return [done];
      const lost = [
        ...[done, action(", which is lost", () => answered(world, timeout))],
        action(", which is lost, and the function dies", () => died(world)),
      ];
      if (writesOf(command).length === 0) return lost;
      const withCopy = (next: World) => ({ ...next, copies: [...next.copies, { request: name, command }] });
      const late = [
        action(", which comes late", () => answered(withCopy(world), timeout)),
        action(", which comes late, and the function dies", () => died(withCopy(world))),
      ];
      const unanswered = [
        action(", unanswered", () => answered(written().world, timeout)),
        action(", then the function dies", () => died(written().world)),
      ];
      // A put of a session is not sent again; a transaction is not done again.
      const again = [
        action(", unanswered, sent again", () => withState(written().world, name, state)),
        action(", and a copy comes late", () => answered(withCopy(written().world), written().answer)),
      ];
      const isOnce = command.name === "PutCommand" || command.name === "TransactWriteCommand";
      return [...lost, ...late, ...unanswered, ...(isOnce ? [] : again)];

      async function answered(next: World, answer: Answer): Promise<World> {
        const after = await runner.answer(trail, index, answer);
        const { outcome } = after;
        if (!outcome) return withState(next, name, { ...state, trail: after });
        // To the client a 503 is like no answer.
        return outcome.is === "unavailable" ? died(next) : end(next, name, state.attempts, outcome);
      }
    });

    function died(next: World): World {
      return withState(next, name, { attempts: state.attempts });
    }
  }

  function landing(world: World, copy: World["copies"][number]): Action<World> {
    return {
      name: `a late copy arrives, of ${copy.request}: ${describe(copy.command)}`,
      isEvent: false,
      apply() {
        const { world: next } = write(world, copy.request, copy.command);
        if (next.tables === world.tables) return null;
        return { ...next, copies: world.copies.filter((other) => other !== copy) };
      },
    };
  }

  function passing(world: World): Action<World>[] {
    const seconds = jumps[world.jumps];
    if (seconds === undefined) return [];
    const isLong = seconds > minutes;
    if (isLong && Object.values(world.requests).some(({ trail }) => trail)) return [];
    return [
      {
        name: `${seconds} s pass`,
        isEvent: false,
        apply: () => ({
          ...{ ...world, now: world.now + seconds, jumps: world.jumps + 1 },
          ...(isLong && { copies: [], tokens: [] }),
        }),
      },
    ];
  }

  function write(world: World, name: string, command: Command): { world: World; answer: Answer } {
    const token = command.input.ClientRequestToken as string | undefined;
    if (token !== undefined && world.tokens.includes(token)) return { world, answer: { output: {} } };
    const { tables, answer } = execute(world.tables, keys, command);
    if (tables === world.tables) return { world, answer };
    const tokens = token === undefined ? world.tokens : [...world.tokens, token].sort();
    const history = checkWrite({ scenario, world, name }, tables);
    const after = { ...world, tables, tokens, history };
    checkTables(after);
    return { world: after, answer };
  }

  function end(before: World, name: string, attempts: number, outcome: Outcome): World {
    const world = withState(before, name, { attempts, outcome });
    const { session } = outcome;
    const held = session ? [...world.history.held, keyOf(session)].sort() : world.history.held;
    const next = { ...world, history: { ...world.history, held } };
    checkAnswer({ scenario, world: next, name }, outcome);
    checkTables(next);
    return next;
  }
}

function isChanged({ history }: World, when: string): boolean {
  const [name = "", thing = ""] = when.split(": ");
  return history.changes[name]?.includes(thing) ?? false;
}

/** Whether a request is over for its client: it has an answer other than a 503. */
export const isEnded = ({ requests }: World, name: string): boolean => requests[name]?.outcome !== undefined;

export function outcomesOf({ requests }: World): Outcomes {
  return Object.fromEntries(
    Object.entries(requests).flatMap(([name, { outcome }]) => (outcome ? [[name, outcome]] : [])),
  );
}

function withState(world: World, name: string, state: RequestState): World {
  return { ...world, requests: { ...world.requests, [name]: state } };
}

function describe(command: Command): string {
  const writes = writesOf(command).map(({ is, TableName }) => `${is} ${TableName}`);
  const { TableName } = command.input;
  return writes.length > 0 ? writes.join(" + ") : `${command.name.replace("Command", "")} ${TableName}`;
}

export function worldText({ tables, now, jumps, requests, copies, tokens, history }: World): string {
  const states = Object.values(requests).map(({ attempts, trail, outcome }) => {
    return `${attempts} ${trail?.id} ${outcome?.is} ${outcome?.session?.sessionId}`;
  });
  const late = copies.map(({ request, command }) => `${request} ${textOf(command.input)}`).sort();
  return `${textOf(tables)};${now} ${jumps};${states};${late};${tokens};${textOf({ ...history })}`;
}
