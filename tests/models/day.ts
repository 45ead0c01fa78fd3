import { AppError } from "../../lib/errors.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { createRefreshToken, hashToken } from "../../lib/tokens/refresh-token.ts";
import type { Random } from "../support/random.ts";
import { createMemoryClient } from "./memory-table.ts";
import { createUseCases, noKeys, plainPair } from "./use-cases.ts";

export interface Scene {
  windowSeconds: number;
  keyed: boolean;
  /** Who shares the browser's cookie: what each sends as Idempotency-Key. */
  callers: (string | undefined)[];
  lossRate: number;
  /** One who copies the cookie once and then refreshes like everybody, or in step with the victim. */
  thief?: { key: string | undefined; isInStep?: boolean };
}

const never = Number.POSITIVE_INFINITY;
const daySeconds = 86_400;
const accessTokenTtlSeconds = 900;
/** A caller comes back at most 45 s after its JWT has expired: a page that asks for something every 45 s. */
const idleSeconds = 45;
/** From a request to its answer; one in fifty is slow, twenty times so. */
const latency = { minSeconds: 0.02, maxSeconds: 0.5, slowShare: 0.02, slowFactor: 20 };
/** How long on average a caller takes to find that an answer is lost and to ask again. */
const giveUpSeconds = 8;

const start = 1_800_000_000;

interface Jar {
  refreshToken: string;
  expiresAt: number;
}

/**
 * Simulates one browser for 24 hours over the real refresh: its tabs find their JWT expired and refresh, answers are
 * slow or lost, a thief has a copy of the cookie. Ends with the first replay. What happens between the two store calls
 * of a refresh is for rotation.test.ts. Tells when a replay ended the session, and how long after the theft; seconds,
 * infinite: never.
 */
export async function simulateDay(scene: Scene, random: Random) {
  const { callers, lossRate, thief } = scene;
  const events: { at: number; run: () => unknown }[] = [];
  const followers: (() => void)[] = [];
  const between = (min: number, max: number) => min + random() * (max - min);
  const schedule = (at: number, run: () => unknown) => void events.push({ at, run });
  let [now, endedAt, stolenAt] = [0, never, never];
  const onReplay = () => {
    endedAt = now;
  };
  const { refresh, firstToken } = openSession(scene, () => Math.floor(start + now), onReplay);
  const jar: Jar = { refreshToken: firstToken, expiresAt: accessTokenTtlSeconds };

  for (const idempotencyKey of callers) runCaller(jar, idempotencyKey);
  // At any moment in the life of a JWT.
  if (thief) schedule(between(3_600, 7_200), steal);
  const lastsUntil = thief ? 7_200 + daySeconds : daySeconds;
  while (endedAt === never) {
    const earliest = events.reduce((first, { at }, i) => (at < (events[first]?.at ?? never) ? i : first), 0);
    const [next] = events.splice(earliest, 1);
    if (!next || next.at > lastsUntil) break;
    now = next.at;
    await next.run();
  }
  return { endedAfter: endedAt, noticedAfter: endedAt > stolenAt ? endedAt - stolenAt : never };

  function steal(): void {
    stolenAt = now;
    const wake = runCaller({ ...jar }, thief?.key, thief?.isInStep);
    if (thief?.isInStep) followers.push(wake);
  }

  /** One that refreshes when it needs something and its JWT has expired; or, in step, when it is told to. */
  function runCaller(own: Jar, idempotencyKey: string | undefined, isInStep = false): () => void {
    const rest = () => {
      if (!isInStep) schedule(Math.max(now, own.expiresAt) + between(0, idleSeconds), wake);
    };
    const receive = (pair: Jar) => {
      Object.assign(own, pair);
      rest();
    };
    const wake = () => (own.expiresAt > now ? rest() : send());
    const send = () => {
      const { refreshToken } = own;
      const isSlow = !isInStep && random() < latency.slowShare;
      const seconds = between(latency.minSeconds, latency.maxSeconds) * (isSlow ? latency.slowFactor : 1);
      const isLost = random() < lossRate;
      const answerAt = now + seconds;
      if (isLost) schedule(now - giveUpSeconds * Math.log(1 - random()), wake);
      schedule(now + random() * seconds, async () => {
        const pair = await refresh(refreshToken, idempotencyKey);
        if (!isInStep) for (const follow of followers) schedule(now + between(0, 5), follow);
        if (pair && !isLost) schedule(answerAt, () => receive(pair));
      });
    };
    rest();
    return wake;
  }
}

/** A session right after its login, and the real refresh over it. The signature of a JWT is not what is tested. */
function openSession({ windowSeconds, keyed }: Scene, clock: () => number, onReplay: () => void) {
  const firstToken = createRefreshToken();
  const key = { userId: "user", sessionId: "session" };
  const item = {
    ...{ ...key, email: "ada@example.com", tokenHash: hashToken(firstToken), keyed, sessionEpoch: 0 },
    ...{ createdAt: start, expiresAt: start + daySeconds },
  };
  const { refresh } = createUseCases({
    sessions: createSessionStore(createMemoryClient(new Map([[key.sessionId, item]])), "sessions"),
    clock,
    noteEvent: (event) => event === "authn_token_reuse" && onReplay(),
    settings: { refreshWindowSeconds: windowSeconds },
  });
  const claims = { sub: key.userId, sid: key.sessionId, auth_time: start };

  return {
    firstToken,
    /** Presents the pair of a refresh token; undefined if it is refused. */
    async refresh(refreshToken: string, idempotencyKey: string | undefined): Promise<Jar | undefined> {
      try {
        const issued = await refresh({ ...plainPair(claims, refreshToken), ...noKeys, idempotencyKey });
        const { iat = start } = JSON.parse(issued.token);
        return { refreshToken: issued.refreshToken, expiresAt: iat - start + accessTokenTtlSeconds };
      } catch (error) {
        if (error instanceof AppError && error.code === "token_expired") return undefined;
        throw error;
      }
    },
  };
}
