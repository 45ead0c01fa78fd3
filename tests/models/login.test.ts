import { expect, test } from "@jest/globals";
import type { User } from "../../lib/accounts/store.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { createLogout } from "../../lib/auth/session/logout.ts";
import { createRefresh } from "../../lib/auth/session/refresh.ts";
import { AppError } from "../../lib/errors.ts";
import type { Session } from "../../lib/sessions/session.ts";
import type { WriteResult } from "../../lib/sessions/store.ts";
import type { TokenPair } from "../../lib/tokens/issue-pair.ts";
import { createTokenId, hashToken } from "../../lib/tokens/refresh-token.ts";
import type { AccessClaims } from "../../lib/tokens/verify-access-token.ts";
import { createMemorySessions } from "./memory-sessions.ts";

// Everything that can become of a login's puts, over the real use cases: each is sent once; it may be stored, stored
// without an answer, stored late or never. The pair that comes out is refreshed, logged out and presented again.

const now = 1_800_000_000;
const password = "correct horse battery staple";
const user: User = {
  ...{ email: "ada@example.com", userId: "user", sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
  // A weak hash of the password: it is verified hundreds of times here.
  passwordHash:
    "$argon2id$v=19$m=64,t=1,p=1$ABEiM0RVZneImaq7zN3u/w$TwegqWwkKBQzefYobDb0qomXomSr6dBKvqvV74dg2R8",
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

/** What the re-read of the user finds: whether all sessions were ended meanwhile, in either try of the login. */
const rereads = ["unmoved", "moved once", "moved twice", "unavailable"] as const;
/** When a late put arrives. */
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
      given.push(outcome.refreshToken);
      const session = table.items.get(outcome.token) as Session;
      expect(session.tokenHash).toBe(hashToken(outcome.refreshToken));
      const refreshed = await present(table, outcome);
      given.push((refreshed as TokenPair).refreshToken);
      await createLogout({ sessions: table, verifyExpiredToken: verifierOf(outcome) })(outcome);
      table.deliverLate();
      expect(await present(table, outcome)).toBe("token_expired");
      expect(await present(table, refreshed as TokenPair)).toBe("token_expired");
    }
    table.deliverLate();

    const isAnswered = fates.includes("stored");
    const isOpened = isAnswered && (reread === "unmoved" || reread === "moved once");
    expect(typeof outcome === "string" ? outcome : "opened").toBe(isOpened ? "opened" : "unavailable");
    // Whatever is left in the table opens for nobody.
    const held = given.map(hashToken);
    expect([...table.items.values()].filter(({ tokenHash }) => held.includes(tokenHash))).toEqual([]);
  },
);

async function openSession(table: Table, reread: (typeof rereads)[number]): Promise<TokenPair | string> {
  let reads = 0;
  const users = {
    async find() {
      reads++;
      const isReread = reads % 2 === 0;
      if (isReread && reread === "unavailable") throw new AppError("unavailable");
      const isMoved = reread === "moved twice" ? reads > 1 : reread === "moved once" && reads === 2;
      return { ...user, sessionEpoch: isReread && isMoved ? reads : 0 };
    },
    replacePasswordHash: async () => true,
    noteSwept: async () => {},
  };
  const attempts = {
    count: async () => ({ id: "", count: 1, isKnownDevice: false }),
    succeed: async () => {},
  };
  const devices = { remember: async () => "" };
  const sources = { count: async () => {} };
  const login = createLogin({
    ...{
      users,
      sessions: { ...table, list: async () => [], deleteAll: async () => {} },
      attempts,
      devices,
      sources,
      issuePair,
      clock: () => now,
    },
    ...{ refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 },
  });
  const request = {
    email: user.email,
    password,
    idempotencyKey: undefined,
    userAgent: undefined,
    ip: undefined,
    device: undefined,
  };
  return login(request)
    .then(({ pair }) => pair)
    .catch(codeOf);
}

/** Presents a pair to the real refresh, a minute later; gives the pair or the code of the refusal. */
function present(table: Table, pair: TokenPair): Promise<TokenPair | string> {
  const settings = {
    ...{ refreshWindowSeconds: 0, refreshMinIntervalSeconds: 30, sessionsNotBefore: 0 },
    ...{ refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 },
  };
  const verifyExpiredToken = verifierOf(pair);
  const clock = () => now + 60;
  const refresh = createRefresh({
    sessions: table,
    verifyExpiredToken,
    issuePair,
    clock,
    noteSession: () => {},
    noteEvent: () => {},
    settings,
  });
  return refresh({ ...pair, idempotencyKey: undefined }).catch(codeOf);
}

/** Tokens here are session ids; the signature is not what is tested. */
const issuePair = async ({ userId, sessionId }: Session, refreshToken: string): Promise<TokenPair> => {
  const lifetimes = { expiresInSeconds: 900, sessionExpiresInSeconds: 86_400 };
  return { token: sessionId, refreshToken, ...lifetimes, userId, sessionId };
};

function verifierOf({ refreshToken }: TokenPair) {
  return async (sid: string) => {
    const claims = {
      sub: user.userId,
      sid,
      jti: createTokenId(refreshToken),
      auth_time: now,
    } as AccessClaims;
    return { claims, isExpired: true };
  };
}

function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  throw error;
}

type Table = ReturnType<typeof createTable>;

/** The sessions table, with puts that have a fate. */
function createTable(fates: Fate[], arrival: (typeof arrivals)[number]) {
  const sessions = createMemorySessions();
  const late: Session[] = [];
  let puts = 0;

  return {
    ...sessions,

    deliverLate() {
      for (const session of late.splice(0)) sessions.put(session);
    },

    async put(session: Session): Promise<void> {
      if (arrival === "before the next put") this.deliverLate();
      const fate = fates[puts++ % fates.length];
      if (fate === "late") late.push(session);
      if (fate === "stored" || fate === "stored, unanswered") await sessions.put(session);
      if (fate !== "stored") throw new AppError("unavailable");
    },

    async rearm(): Promise<WriteResult> {
      throw new Error("no repeat here has a key");
    },
  };
}
