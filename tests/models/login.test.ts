import { expect, test } from "@jest/globals";
import type { User } from "../../lib/accounts/store.ts";
import { createOpenSession } from "../../lib/auth/open-session.ts";
import { AppError } from "../../lib/errors.ts";
import type { Session } from "../../lib/sessions/session.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import type { TokenPair } from "../../lib/tokens/issue-pair.ts";
import { hashToken } from "../../lib/tokens/refresh-token.ts";
import { createMemoryClient, type Item } from "./memory-table.ts";
import { createUseCases, noKeys, pairs } from "./use-cases.ts";

// Everything that can become of a login's puts, over the real use cases: each is sent once; it may be stored, stored
// without an answer, stored late or never. The pair that comes out is refreshed, logged out and presented again.

const now = 1_800_000_000;
const user: User = {
  ...{ email: "ada@example.com", userId: "user", sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
  passwordHash: "not looked at here",
};

type Fate = "stored" | "stored, unanswered" | "late" | "lost";
const unanswered: Fate[] = ["stored, unanswered", "late", "lost"];

/** Puts until one is answered; after three that are not, the login gives up. */
const fates: Fate[][] = [
  ["stored"],
  ...unanswered.flatMap((first): Fate[][] => [
    [first, "stored"],
    ...unanswered.flatMap((second): Fate[][] => [
      [first, second, "stored"],
      ...unanswered.map((third): Fate[] => [first, second, third]),
    ]),
  ]),
];

/** What the re-read of the user finds: whether all sessions were ended meanwhile. */
const rereads = ["unmoved", "moved", "unavailable"] as const;
const arrivals = ["before the next put", "after the logout"] as const;

const cases = fates.flatMap((fates) => {
  const puts = fates.join(", ");
  // A login that gives up does so before anything else can happen.
  if (!fates.includes("stored")) return [{ puts, fates, reread: rereads[0], arrival: arrivals[1] }];
  return rereads.flatMap((reread) => arrivals.map((arrival) => ({ puts, fates, reread, arrival })));
});

test.each(cases)(
  "puts: $puts; epoch: $reread; late puts arrive $arrival",
  async ({ fates, reread, arrival }) => {
    const table = createTable(fates, arrival);
    const outcome = await openSession(table, reread);
    const given: string[] = [];

    if (typeof outcome !== "string") {
      // A minute later.
      const settings = { refreshWindowSeconds: 0 };
      const { refresh, logout } = createUseCases({ sessions: table, clock: () => now + 60, settings });
      const present = (pair: TokenPair) => refresh({ ...pair, ...noKeys }).catch(codeOf);
      given.push(outcome.refreshToken);
      expect(table.items.get(outcome.sessionId)?.tokenHash).toBe(hashToken(outcome.refreshToken));
      const refreshed = (await present(outcome)) as TokenPair;
      given.push(refreshed.refreshToken);
      await logout([outcome]);
      table.deliverLate();
      expect([await present(outcome), await present(refreshed)]).toEqual(["token_expired", "token_expired"]);
    }
    table.deliverLate();

    const isAnswered = fates.includes("stored");
    const expected = isAnswered && reread === "unmoved" ? "opened" : isAnswered ? reread : "unavailable";
    expect(typeof outcome === "string" ? outcome : "opened").toBe(expected);
    // Whatever is left in the table opens for nobody.
    const held = given.map(hashToken);
    expect([...table.items.values()].filter(({ tokenHash }) => held.includes(String(tokenHash)))).toEqual([]);
  },
);

async function openSession(table: Table, reread: (typeof rereads)[number]): Promise<TokenPair | string> {
  const users = {
    async find() {
      if (reread === "unavailable") throw new AppError("unavailable");
      return { ...user, sessionEpoch: reread === "moved" ? 1 : 0 };
    },
    noteSwept: async () => {},
  };
  const open = createOpenSession({
    ...{ users, sessions: table, pairs, challenges: undefined, clock: () => now },
    ...{ refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 },
  });
  return open(user, noKeys).then((pair) => pair ?? "moved", codeOf);
}

function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  throw error;
}

type Table = ReturnType<typeof createTable>;

/** The sessions table, with puts that have a fate. */
function createTable(fates: Fate[], arrival: (typeof arrivals)[number]) {
  const items = new Map<string, Item>();
  const late: Session[] = [];
  let puts = 0;
  const store = (session: Session) => {
    if (!items.has(session.sessionId)) items.set(session.sessionId, session);
  };
  const deliverLate = () => late.splice(0).forEach(store);

  return {
    ...createSessionStore(createMemoryClient(items), "sessions"),
    items,
    deliverLate,

    async put(session: Session): Promise<void> {
      if (arrival === "before the next put") deliverLate();
      const fate = fates[puts++];
      if (fate === "late") late.push(session);
      if (fate === "stored" || fate === "stored, unanswered") store(session);
      if (fate !== "stored") throw new AppError("unavailable");
    },
  };
}
