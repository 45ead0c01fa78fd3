import { createChange } from "../../accounts/change.ts";
import type { EndOthers } from "../../accounts/end-others.ts";
import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Client, Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";

interface EndAllOptions {
  sessions: Pick<SessionStore, "find" | "list" | "deleteAll">;
  users: Pick<UserStore, "find" | "raiseSessionEpoch" | "noteSwept">;
  endOthers: EndOthers;
  clock: Clock;
}

/** Who asks for the end of sessions, and by which request. */
export interface EndRequest extends Client {
  requestId: string;
}

/** Makes the use cases "log out everywhere" and "log out everywhere else". */
export function createEndAllSessions({ sessions, users, endOthers, clock }: EndAllOptions) {
  const sweep = createSweep({ sessions, users });
  const changeOf = ({ requestId, ...client }: EndRequest) =>
    createChange("authn_token_revoked", { by: "user", client, requestId }, clock());

  return {
    /**
     * Ends every session of the caller's user. When it returns no refresh of them succeeds, nor does a login that was
     * under way. Throws AppError `unavailable`; done again, it ends the rest, and throws AppError `invalid_token`, as
     * wherever the caller's session had been ended already: others may be opened meanwhile, and it may not end those.
     */
    async endAll(caller: Session, request: EndRequest): Promise<void> {
      const raised = await users.raiseSessionEpoch(caller, changeOf(request));
      if (raised) return sweep(raised, caller);
      if (await finishEarlierSweep(caller)) throw new AppError("invalid_token", overtaken);
    },

    /**
     * Ends every session but the caller's, and gives the epoch in which that goes on. Of two sessions that do so at once
     * one wins. Throws AppError `invalid_token` if the caller's was ended meanwhile, `unavailable`: done again, it ends
     * the rest.
     */
    async endAllOthers(caller: Session, request: EndRequest): Promise<number> {
      const sessionEpoch = (await endOthers(caller, changeOf(request))) ?? (await findCarried(caller));
      if (sessionEpoch === undefined) {
        await finishEarlierSweep(caller);
        throw new AppError("invalid_token", overtaken);
      }
      await sweep({ ...caller, sessionEpoch });
      return sessionEpoch;
    },
  };

  /** Another request of the same session – a second click – has just carried it to the epoch that this gives. */
  async function findCarried(caller: Session): Promise<number | undefined> {
    const { sessionEpoch = 0 } = (await sessions.find(caller)) ?? {};
    return sessionEpoch > caller.sessionEpoch ? sessionEpoch : undefined;
  }

  /** Answers whether there is a user still. */
  async function finishEarlierSweep(caller: Session): Promise<boolean> {
    const user = await users.find(caller.userId);
    if (user) {
      await sweep(user, caller);
      return true;
    }
    // The account is gone; so should be its sessions.
    await sessions.deleteAll(await sessions.list(caller.userId, ["userId", "sessionId"]));
    return false;
  }
}

const overtaken = { reason: "session of an earlier epoch" } as const;
