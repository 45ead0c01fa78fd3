import { lifetimes, type PairName, refreshState, type SessionState } from "./session.ts";

/** What befalls every request to the sessions table: it never arrives, it is throttled, its answer never comes. */
export type Trouble = "lost" | "throttled" | "unanswered";

/** A session of the one user of the world. */
interface Known {
  state: SessionState | undefined;
  epoch: number;
}

/** How a request is to be answered: a status, or the pair that comes with 200. */
export type Expected = number | PairName;

/** All that the model knows. */
export function createWorld(now: number) {
  const sessions: Known[] = [];
  let trouble: Trouble | undefined;
  let requests = 0;
  const user = { epoch: 0, swept: 0, kept: undefined as number | undefined };

  function sweep(): void {
    for (const [index, session] of sessions.entries())
      if (session.epoch < user.epoch && index !== user.kept) session.state = undefined;
    user.swept = user.epoch;
  }

  function addSession(keyed: boolean): number {
    const expiresAt = now + Math.min(lifetimes.sliding, lifetimes.absolute);
    const state = {
      ...{ keyed, createdAt: now, expiresAt, generation: 0, rotatedAt: undefined },
      ...unrotated,
    };
    return sessions.push({ state, epoch: user.epoch }) - 1;
  }

  function isLiveSession(index: number): boolean {
    return (sessions[index]?.state?.expiresAt ?? 0) > now;
  }

  return {
    /** The stored sessions. */
    get stored(): (SessionState & { epoch: number })[] {
      return sessions.flatMap(({ state, epoch }) => (state ? [{ ...state, epoch }] : []));
    },

    get trouble(): Trouble | undefined {
      return trouble;
    },
    set trouble(next: Trouble | undefined) {
      trouble = next;
    },

    advance(seconds: number): void {
      now += seconds;
    },

    /** DynamoDB deletes what has expired, late. */
    dropExpired(): void {
      for (const session of sessions) if ((session.state?.expiresAt ?? 0) <= now) session.state = undefined;
    },

    /** A login with the right password; gives the number of the session, too. */
    logIn(keyed: boolean): { status: number; index?: number } {
      if (trouble && user.swept < user.epoch) return { status: 503 };
      // Each put that was stored without an answer left a session that nobody holds.
      if (trouble === "unanswered") for (let put = 0; put < 3; put++) addSession(keyed);
      if (trouble) return { status: 503 };
      if (user.swept < user.epoch) sweep();
      return { status: 200, index: addSession(keyed) };
    },

    refresh(index: number, createdAt: number, generation: number, key: string | undefined): Expected {
      const session = sessions[index] as Known;
      if (createdAt + lifetimes.absolute <= now) return 400;
      if (trouble === "lost" || trouble === "throttled") return 503;
      const { state, answer } = refreshState(session.state, { id: `${requests++}`, generation, key, now });
      if (trouble === "unanswered") {
        // Only the first write got through: a rotation, or nothing.
        if (state && state.generation > (session.state?.generation ?? 0)) session.state = state;
        return 503;
      }
      session.state = state;
      return answer === "expired" ? 400 : answer;
    },

    logOut(index: number): number {
      if (trouble !== "lost" && trouble !== "throttled") (sessions[index] as Known).state = undefined;
      return trouble ? 503 : 200;
    },

    /** Whether an access token is live on a protected route, which asks nobody. */
    isLiveToken(exp: number): boolean {
      return exp > now - 5;
    },

    /** A route that asks for a live session, called without what it needs. */
    look(index: number, exp: number): number {
      if (!this.isLiveToken(exp)) return 401;
      if (trouble) return 503;
      return isLiveSession(index) ? 400 : 401;
    },

    logOutEverywhere(exp: number): number {
      if (!this.isLiveToken(exp)) return 401;
      user.epoch++;
      user.kept = undefined;
      if (trouble) return 503;
      sweep();
      return 204;
    },

    changePassword(index: number, exp: number): number {
      const seen = this.look(index, exp);
      if (seen !== 400) return seen;
      if (user.swept < user.epoch) sweep();
      if (!sessions[index]?.state) return 401;
      user.epoch++;
      user.kept = index;
      sweep();
      return 200;
    },
  };
}

const unrotated = { rotationKey: undefined, rotatedBy: undefined };

/** The model of a user with their sessions. */
export type World = ReturnType<typeof createWorld>;
