import type { KeyLife } from "../../lib/tokens/key-set.ts";
import { type KeySet, type KeyState, stateOf, timeText } from "./lifecycle.ts";

/** How the steps around a key set are typed where it is kept. */
export interface Commands {
  /** Makes the first key. */
  create: string;
  /** Makes changed keys known to whoever does not read them by himself: a deployment, or a restart of `npm start`. */
  publish: string | undefined;
  keys: (command: string) => string;
}

const explanations: Record<KeyState, (key: KeyLife) => string> = {
  unpublished: () => "added; verifiers do not know it yet",
  published: ({ publishedAt }) =>
    publishedAt === undefined ? "added" : `published ${timeText(publishedAt)}; signs nothing yet`,
  promoted: ({ activeFrom }) => `active from ${timeText(activeFrom)} on`,
  "active, not published": ({ activeFrom }) => `since ${timeText(activeFrom)}; verifiers do not know it yet`,
  active: ({ activeFrom }) => `since ${timeText(activeFrom)}`,
  replaced: ({ retireAfter }) => `verifies; may be retired from ${timeText(retireAfter)} on`,
  retirable: ({ retireAfter }) => `may be retired since ${timeText(retireAfter)}`,
};

/** Describes every key of a set in one line; nothing private. */
export function describeKeys(set: KeySet, now: number): string {
  const lines = set.keys.map((key) => {
    const state = stateOf(key, set, now);
    return `${key.kid.padEnd(10)}${key.alg.padEnd(7)}${state.padEnd(24)}${explanations[state](key)}`;
  });
  return lines.join("\n");
}

/** Says what is to be done next with a set. */
export function adviseNext(set: KeySet, now: number, { publish, keys }: Commands): string {
  const find = (wanted: KeyState) => set.keys.find((key) => stateOf(key, set, now) === wanted);
  const then = publish ? `\nThen: ${publish}` : "";
  const unknown = find("active, not published");
  const waiting = set.keys.find(({ retireAfter }) => retireAfter !== undefined);
  if (unknown) return `Next: ${unknown.isEmergency ? `SESSIONS_NOT_BEFORE=${now} ` : ""}${publish}`;
  if (find("unpublished")) return `Next: ${publish}\nThen: ${keys("promote")}`;
  if (find("published")) return `Next: ${keys("promote")}`;
  if (find("retirable")) return `Next: ${keys("retire")}${then}`;
  if (waiting) return `Next, from ${timeText(waiting.retireAfter)} on: ${keys("retire")}${then}`;
  return `Nothing to do. To rotate: ${keys("rotate")}`;
}
