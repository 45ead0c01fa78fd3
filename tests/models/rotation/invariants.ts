/** What must hold in every schedule. */
export const invariants = {
  oneChain: "a rotation replaces the current token by its successor, and nothing ever leads back",
  currentPair: "every 200 carries the pair that is current at the instant of the deciding step",
  noGrandparent: "no 200 for anything older than the predecessor",
  notRefusedWhileLiving: "token expired is answered only when the session is over",
  provenRepeat: "the current pair, a proven repeat and one's own write are never taken for a replay",
  unavailable: "a store that does not answer makes the request unavailable, never refused",
  noRevival: "nothing brings a deleted session back or writes to one whose time is over",
  noExpired: "no 200 from a session whose time is over",
  logoutIsFinal: "no 200 for a request that starts after an answered logout",
  honestKeepsSession: "an honest browser with the key never loses its session",
  thiefOrVictim: "thief and victim never both get past a rotation of a keyed session",
} as const;

export type InvariantName = keyof typeof invariants;

/** An invariant that a schedule breaks. */
export class Violation extends Error {
  readonly invariant: InvariantName;

  constructor(invariant: InvariantName, what: string) {
    super(`${invariants[invariant]}: ${what}`);
    this.invariant = invariant;
  }
}

/** Throws Violation unless the invariant holds. */
export function hold(invariant: InvariantName, isHeld: boolean, what: () => string): void {
  if (!isHeld) throw new Violation(invariant, what());
}
