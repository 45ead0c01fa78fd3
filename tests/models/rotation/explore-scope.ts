import { findRearmAge, maxRearms } from "../../../lib/sessions/rotation.ts";
import { type Exploration, explore } from "../explore.ts";
import { createActions, type Scope } from "./actions.ts";
import { createNextStep } from "./use-case.ts";
import { canonical, type World, worldText } from "./world.ts";

const refreshTokenTtlSeconds = 7200;

/** One browser, several tabs, one key, nobody else. */
export const honest: Scope = {
  ...{ keyed: true, keys: "one", browserWaitsSeconds: 0, thiefKeys: [], hasLogout: false },
  ...{ jumps: [12, 16, 31], underWaySeconds: 12 },
};

/** How a session rotates. */
export interface Settings {
  windowSeconds?: number;
  intervalSeconds?: number;
  rearmAfterSeconds?: number;
  rearms?: number;
}

/**
 * Explores every schedule of refreshes, repeats, a thief, a logout and late or repeated writes, up to a number of events, over
 * the real use cases and the conditions of the sessions table. A request is sent, starts, reaches the table and is
 * answered at any time within its 12 s, or never.
 */
export function exploreScope(scope: Scope, depth: number, settings: Settings = {}): Promise<Exploration> {
  const { windowSeconds = 10, intervalSeconds = 30 } = settings;
  const { keyed, keys, sessionKey, isDeviceBound = false } = scope;
  const { rearmAfterSeconds = findRearmAge(intervalSeconds), rearms = maxRearms } = settings;
  const nextStep = createNextStep({
    ...{ refreshWindowSeconds: windowSeconds, refreshMinIntervalSeconds: intervalSeconds },
    ...{ rearmAfterSeconds, maxRearms: rearms, refreshTokenTtlSeconds, isDeviceBound },
  });
  const storage =
    keys !== "none"
      ? { key: "key 2", previous: "key 1", chosenAt: -60 }
      : { key: null, previous: null, chosenAt: -60 };
  const start: World = {
    item: {
      ...{ sessionId: "session", tokenHash: "0#0", keyed, expiresAt: refreshTokenTtlSeconds },
      ...(keyed && { rotationKeyHash: "key 1" }),
      ...(sessionKey !== undefined && { [isDeviceBound ? "deviceKey" : "sessionKeyHash"]: sessionKey }),
    },
    ...{
      jar: { token: "0#0", rotatedAt: null },
      ...{ onDisk: null, wasKilled: false },
      storage,
      stolen: [],
      requests: [],
      copies: [],
    },
    ...{ stolenKeys: { key: null, previous: null }, salts: 3 },
    ...{ isAheadOfTheft: { browser: false, thief: false }, given: 0, isGiven: false },
    isLogoutAnswered: false,
  };
  return explore({ start, listActions: createActions(scope, nextStep), textOf: worldText, canonical }, depth);
}
