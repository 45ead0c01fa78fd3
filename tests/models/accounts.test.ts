import { expect, test } from "@jest/globals";
import "./accounts/stand-ins.ts";
import type { Scenario } from "./accounts/world.ts";
import { explore } from "./explore.ts";

/**
 * Changes of accounts against each other, over the real use cases and stores: every order of their requests to the tables,
 * with faults. A function dies, a request is lost, an answer is lost, a write comes late, twice, or again by the SDK's
 * retry; a client repeats what was not answered. Three parties meet without faults, and at night (LONG=1) with one more
 * each.
 */
const { createRunner } = await import("./accounts/run.ts");
const { mistakesIn } = await import("./accounts/mistakes.ts");
const { createActions, createStart, worldText } = await import("./accounts/world.ts");
const { scenarios } = await import("./accounts/scenarios.ts");

const more = process.env.LONG ? 1 : 0;
const faultsOf = ({ requests }: Scenario) => (requests.length > 2 ? 0 : 1);

function exploreScenario(scenario: Scenario, faults: number, runner = createRunner()) {
  // One attempt for each fault, one that meets the others, one that meets its own late copy, and one that is answered.
  const listActions = createActions(scenario, runner, faults + 3);
  return explore({ start: createStart(scenario), listActions, textOf: worldText }, faults);
}

test.each(scenarios)("every invariant holds: $name", async (scenario) => {
  const { violation } = await exploreScenario(scenario, faultsOf(scenario) + more);
  const story = violation && [violation.error.message, ...violation.schedule].join("\n");
  expect(story).toBeUndefined();
});

/** What no order notices, and why it stands there all the same. */
const unnoticed: [RegExp, string][] = [
  [/: Put sessions: attribute_not_exists\(sessionId\)$/, "an id is random, and sent once"],
  [
    /^(login|loginByCode|changePassword|confirmEmail): Delete sessions$/,
    "nobody holds the token of what is left",
  ],
  [/^login: Update users$/, "the next login sweeps again"],
  [/^(?!deleteAccount).*: sweptEpoch < :epoch$/, "an older note would only have the sweep done again"],
  [/^(?!endAll).*: lastChange = :change$/, "it tells others"],
  [
    /^(?!reset).*: \(?attribute_not_exists\((disabled|deleting)At\)/,
    "both raise the epoch, which sessions need",
  ],
  [
    /: (passwordHash = :from|attribute_not_exists\(passwordHash\))$/,
    "whoever sets a password raises the epoch",
  ],
  [
    /^(confirmEmail: .*: (email = :(from|email)|.*\(undoUntil\).*)|undo: .*: movedBy = :movedBy)$/,
    "a change of the address raises the epoch",
  ],
  [/^changePassword: .*: REMOVE resetBy$/, "a used code would tell whether a guess is the next password"],
  [/^loginByCode: .*: email = :email$/, "likewise, and proves the address"],
  [
    /^loginByCode: .*: sessionEpoch = :epoch$/,
    "the first proof lets nothing in but itself, and is the first once",
  ],
  [
    /^register: (Put identities: (userId = :userId|createdAt|\(attribute_not_exists\(reservedUntil)|ConditionCheck users)/,
    "an entry whose user has left it is gone at the next look",
  ],
  [/attribute_not_exists\(totp\)/, "nobody here has a second factor: tests/factors"],
  [
    /attribute_not_exists\(passkeys\)|passkeys$/,
    "nobody here has a passkey: tests/mail/reset, tests/accounts/passkeys",
  ],
  [/^undo: .*: emailVerifiedAt = :now$/, "the change has set it, to an earlier time"],
  [
    /^(register|confirmRegistration): Put users: attribute_not/,
    "an id is random, or used once with its mail",
  ],
  [
    /^deleteAccount: .*: deletingAt > :tooOld$/,
    "the epoch is that of the first write; what comes late: tests/accounts",
  ],
  [/^deleteAccount: Delete identities 1: /, "an entry that is not reserved is its user's"],
  [/^deleteAccount: Delete identities 2$/, "open invitations: tests/mail"],
  [
    /^(confirmEmail|undo): .*: (userId = :userId|attribute_not_exists\(reservedUntil\)|reservedUntil > :now)$/,
    "likewise",
  ],
  [
    /: Update mails.*: (?!attribute_not_exists\(usedAt\))/,
    "how often, how long and for what a code is good: tests/mail",
  ],
];

test("no part of a write can be left out unnoticed", async () => {
  const found = await findMistakes();
  const survivors: string[] = [];
  for (const [name, where] of found) {
    const isExpected = unnoticed.some(([pattern]) => pattern.test(name));
    if (isExpected && !process.env.LONG) continue;
    if ((await isNoticed(name, where)) === isExpected) survivors.push(name);
  }
  expect(survivors).toEqual([]);
});

/** Every part of a write that can be left out, and where it is sent. */
async function findMistakes() {
  const found = new Map<string, Set<Scenario>>();
  for (const scenario of scenarios) {
    const runner = createRunner((flow, command) => {
      for (const { name } of mistakesIn(flow, command))
        found.set(name, (found.get(name) ?? new Set()).add(scenario));
      return command;
    });
    await exploreScenario(scenario, 0, runner);
  }
  return found;
}

/** Answers whether some order notices a mistake; the small scenarios are asked first. */
async function isNoticed(name: string, where: Set<Scenario>): Promise<boolean> {
  const sizeOf = ({ requests }: Scenario) => requests.length;
  const bySize = [...where].toSorted((a, b) => sizeOf(a) - sizeOf(b));
  for (const parties of new Set(bySize.map(sizeOf)))
    for (const faults of [0, 1])
      for (const scenario of bySize) {
        if (sizeOf(scenario) !== parties || faults > faultsOf(scenario)) continue;
        const runner = createRunner((flow, command) => {
          const mistake = mistakesIn(flow, command).find((other) => other.name === name);
          return mistake ? mistake.command : command;
        });
        const { violation } = await exploreScenario(scenario, faults, runner);
        if (violation) return true;
      }
  return false;
}
