import { createKeptList } from "./kept-list.ts";

/** What mails with a code are for. */
export type CodeKind = "register" | "reset" | "email" | "login";

/** The half of a proof that the answer to an ask holds; the other half is the code in the mail. */
export interface Challenge {
  kind: CodeKind;
  challenge: string;
  /** The first character of the code that belongs to it. */
  codeBegins: string;
  /** By what the browser makes a passkey in place of a password, if the API offers that. */
  passkey?: object;
  /** Until when the code is good: milliseconds of the local clock. */
  untilMs: number;
}

/** Keeps the challenges of this browser. */
export type Challenges = ReturnType<typeof createChallenges>;

/** How many are kept of a kind. */
const maxOfKind = 3;

/**
 * Keeps challenges where all tabs see them (localStorage): the link in a mail opens a new one. In memory without a name, and
 * where a browser forbids that.
 */
export function createChallenges(name: string | undefined) {
  const { load, save } = createKeptList<Challenge>(name);

  /** Those of a kind, the newest first. */
  const of = (kind: CodeKind) => load().filter((each) => each.kind === kind);

  return {
    of,

    add(challenge: Challenge): void {
      const { kind } = challenge;
      const others = load().filter((each) => each.kind !== kind);
      save([challenge, ...of(kind).slice(0, maxOfKind - 1), ...others]);
    },

    drop(challenge: string): void {
      save(load().filter((each) => each.challenge !== challenge));
    },
  };
}
