import { createHash } from "node:crypto";
import { createLogout } from "../../../lib/auth/session/logout.ts";
import type { createRefresh } from "../../../lib/auth/session/refresh.ts";
import { AppError } from "../../../lib/errors.ts";
import type { Session } from "../../../lib/sessions/session.ts";
import type { WriteResult } from "../../../lib/sessions/store.ts";
import { createTokenId, deriveSuccessor, hashToken } from "../../../lib/tokens/refresh-token.ts";
import type { AccessClaims } from "../../../lib/tokens/verify-access-token.ts";
import {
  type Answer,
  answerText,
  type Call,
  type Item,
  type Outcome,
  successorName,
  type Token,
} from "./symbols.ts";

/** A request as far as the use case can see it: what it presents, and what the store has answered so far. */
export interface Trace {
  kind: "refresh" | "logout";
  presented: Token;
  key: string | null;
  /** The number of the salt that this request makes. */
  salt: number;
  answers: Answer[];
}

/** What a request does next. */
export type Step = { call: Call } | { outcome: Outcome };

/** Tells what a request does next. */
export type NextStep = (trace: Trace) => Step | Promise<Step>;

export interface Lifetimes {
  refreshWindowSeconds: number;
  refreshMinIntervalSeconds: number;
  refreshTokenTtlSeconds: number;
}

/** The clock that every request reads here; its times are told relative to it. */
const clock = 1_000_000_000;
const userId = "user";
const sessionId = "session";

/**
 * Drives the real use cases: a request is run from its start over the answers it has had so far, until it makes
 * another store call or ends. It is a function of its trace but for its salt, so each trace is run once.
 */
export function createNextStep(refresh: typeof createRefresh, lifetimes: Lifetimes): NextStep {
  const known = new Map<string, Step | Promise<Step>>();

  return function nextStep(trace) {
    const { kind, presented, key, salt, answers } = trace;
    const name = `${kind} ${presented} ${key} ${salt} ${answers.map(answerText).join(" ")}`;
    const step = known.get(name);
    if (step) return step;
    const running = run(trace).then((found) => {
      known.set(name, found);
      return found;
    });
    known.set(name, running);
    return running;
  };

  function run(trace: Trace): Promise<Step> {
    const concrete = createConcreteValues(trace);
    return new Promise<Step>((resolve, reject) => {
      const answers = [...trace.answers];
      /** Answers a call from the trace; the first that the trace does not know is the next step. */
      const answer = <T>(call: () => Call, give: (answer: Answer) => T): Promise<T> => {
        const next = answers.shift();
        if (next?.is === "unavailable") return Promise.reject(new AppError("unavailable"));
        if (next) return Promise.resolve(give(next));
        resolve({ call: call() });
        return new Promise(() => {});
      };
      const giveResult = (given: Answer): WriteResult =>
        given.is === "written"
          ? { written: true, session: concrete.session((given as { item: Item }).item) }
          : { written: false, session: concrete.sessionOrNone((given as { item: Item | null }).item) };

      const sessions: Parameters<typeof createRefresh>[0]["sessions"] = {
        rotate(key, rotation) {
          assertKey(key);
          concrete.setOwnSalt(rotation.rotationSalt, rotation.successorHash);
          return answer(() => {
            return {
              is: "rotate",
              presented: concrete.tokenOf(rotation.presentedHash),
              successor: concrete.tokenOf(rotation.successorHash),
              salt: trace.salt,
              key: concrete.keyOf(rotation.keyHash),
              now: rotation.now - clock,
              notRotatedSince: rotation.notRotatedSince - clock,
              expiresAt: rotation.expiresAt - clock,
            };
          }, giveResult);
        },
        rearm(seen, times) {
          assertKey(seen);
          return answer(() => {
            return {
              is: "rearm",
              token: concrete.tokenOf(seen.tokenHash),
              previous: concrete.tokenOf(seen.previousTokenHash),
              rotatedAt: seen.rotatedAt - clock,
              now: times.now - clock,
              expiresAt: times.expiresAt - clock,
            };
          }, giveResult);
        },
        delete(key) {
          assertKey(key);
          return answer(
            () => ({ is: "delete" }),
            () => undefined,
          );
        },
      };
      const verifyExpiredToken = async (token: string) => {
        const claims = { sub: userId, sid: sessionId, jti: token, auth_time: clock - 1000 } as AccessClaims;
        return { claims, isExpired: true };
      };
      const issuePair = async (session: Session, refreshToken: string) => {
        return {
          token: String(session.rotatedAt),
          refreshToken,
          expiresInSeconds: 0,
          sessionExpiresInSeconds: 0,
          userId,
          sessionId,
        };
      };
      const pair = { token: createTokenId(concrete.presented), refreshToken: concrete.presented };

      const ended =
        trace.kind === "logout"
          ? createLogout({ sessions, verifyExpiredToken })(pair).then((): Outcome => "done")
          : refresh({
              sessions,
              verifyExpiredToken,
              issuePair,
              clock: () => clock,
              noteSession: () => {},
              noteEvent: () => {},
              settings: { ...lifetimes, sessionMaxAgeSeconds: 2_592_000, sessionsNotBefore: 0 },
            })({ ...pair, idempotencyKey: trace.key ?? undefined }).then((issued): Outcome => {
              const rotatedAt = issued.token === "undefined" ? null : Number(issued.token) - clock;
              return { token: concrete.findToken(issued.refreshToken) ?? "unknown", rotatedAt };
            });
      ended.then(
        (outcome) => resolve({ outcome }),
        (error: unknown) => {
          if (!(error instanceof AppError)) return reject(error);
          resolve({ outcome: { code: error.code } });
        },
      );
    });
  }
}

function assertKey(key: { userId: string; sessionId: string }): void {
  if (key.userId !== userId || key.sessionId !== sessionId)
    throw new Error("a store call for another session");
}

/** Real tokens, salts and hashes for the symbols of one trace, related by the real derivation. */
function createConcreteValues({ presented, salt, key }: Trace) {
  const values = new Map<Token, string>();
  const names = new Map<string, Token>();
  const salts = new Map<number, string>();
  const keyHashes = new Map<string, string>(key === null ? [] : [[hashToken(key), key]]);

  function setToken(name: Token, value: string): string {
    values.set(name, value);
    names.set(value, name);
    names.set(hashToken(value), name);
    return value;
  }

  /** A token is derived where its parent is at hand; older ones may have any value. */
  function tokenValue(name: Token, parent?: { name: Token; salt: number }): string {
    const value = values.get(name);
    if (value !== undefined) return value;
    const isChild = parent && successorName(parent.name, parent.salt) === name;
    return setToken(
      name,
      isChild ? deriveSuccessor(tokenValue(parent.name), saltValue(parent.salt)) : fixed(`token ${name}`),
    );
  }

  function saltValue(number: number): string {
    const value = salts.get(number) ?? fixed(`salt ${number}`);
    salts.set(number, value);
    return value;
  }

  function session(item: Item): Session {
    const { previous, salt, rotatedAt } = item;
    const parent = previous !== null && salt !== null ? { name: previous, salt } : undefined;
    return {
      userId,
      sessionId,
      email: "ada@example.com",
      tokenHash: hashToken(tokenValue(item.token, parent)),
      ...(previous !== null && { previousTokenHash: hashToken(tokenValue(previous)) }),
      ...(salt !== null && { rotationSalt: saltValue(salt) }),
      ...(rotatedAt !== null && { rotatedAt: rotatedAt + clock }),
      ...(item.key !== null && { rotationKeyHash: hashToken(item.key) }),
      keyed: item.keyed,
      createdAt: clock - 1000,
      expiresAt: item.expiresAt + clock,
    };
  }

  function mustFind<T>(found: T | undefined): T {
    if (found === undefined) throw new Error("a store call holds a value that nobody has made");
    return found;
  }

  const presentedValue = setToken(presented, fixed("the presented token"));
  return {
    presented: presentedValue,
    /** The request's own salt is random; its successor is named after it. */
    setOwnSalt(value: string, successorHash: string) {
      salts.set(salt, value);
      const successor = setToken(successorName(presented, salt), deriveSuccessor(presentedValue, value));
      if (hashToken(successor) !== successorHash) throw new Error("the successor is not derived by the salt");
    },
    session,
    sessionOrNone: (item: Item | null) => (item ? session(item) : undefined),
    findToken: (value: string) => names.get(value),
    tokenOf: (hash: string) => mustFind(names.get(hash)),
    keyOf: (hash: string | undefined) => (hash === undefined ? null : mustFind(keyHashes.get(hash))),
  };
}

/** 32 fixed bytes, base64url. */
function fixed(name: string): string {
  return createHash("sha256").update(name).digest("base64url");
}
