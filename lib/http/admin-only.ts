import type { UserStore } from "../accounts/store.ts";
import { isUserId } from "../accounts/user-id.ts";
import type { Operator } from "../auth/admin/operator.ts";
import { getCurrentUser } from "../auth/current-user.ts";
import { assertMayChangeFactor } from "../auth/factor-owner.ts";
import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import { note } from "../log.ts";
import type { SessionStore } from "../sessions/store.ts";
import { cookieName } from "../settings.ts";
import { authenticate, type LiveEvent } from "./authenticate.ts";
import { callerPair } from "./caller-pair.ts";
import { type CallerModeEvent, callerMode } from "./client-mode.ts";
import { isStateChanging } from "./cross-site.ts";
import type { ClientEvent } from "./event.ts";
import { assertRole } from "./require-role.ts";
import type { Middleware } from "./route.ts";

/** The role of whoever manages the accounts of others. */
export const adminRole = "admin";

/** Whoever manages the accounts of others has logged in at most so long ago. */
export const adminFreshSeconds = 900;

/** What `adminOnly` adds to the event. */
export interface AdminEvent extends LiveEvent {
  /** In whose name a change is made. */
  by: Operator;
  /** The user id in the path; empty where the route has none. */
  target: string;
}

interface AdminOptions {
  sessions: Pick<SessionStore, "find">;
  users: Pick<UserStore, "find">;
}

/**
 * The middleware of the admin API, in place of `authenticate`: only an administrator passes who has logged in during the last
 * 15 minutes, with the second factor where the account has one, and whose session lives and has the account's epoch. What
 * changes something needs the whole pair. Nobody changes the own account with it. Each call that comes here is `authz_admin` in the
 * log, also one that is refused here or later. Throws what `authenticate`, `callerMode` and `callerPair` throw, AppError `forbidden`,
 * `not_found`, `own_account`.
 */
export async function adminOnly({ sessions, users }: AdminOptions): Promise<Middleware<AdminEvent>> {
  const { before: authenticateCaller } = await authenticate({
    live: sessions,
    maxAgeSeconds: adminFreshSeconds,
  });
  const { before: findMode } = callerMode();
  const { before: assertPair } = callerPair(readConfig({ cookieName }));
  return {
    async before({ event, credentials }) {
      const { userId: target = "" } = event.pathParameters;
      note({ event: "authz_admin", ...(isUserId(target) && { targetId: target }) });
      await authenticateCaller({ event, credentials });
      const caller = event as typeof event & LiveEvent & ClientEvent & CallerModeEvent;
      const { auth, session, requestId } = caller;
      assertRole(auth, adminRole);
      assertMayChangeFactor(await getCurrentUser(users, session, systemClock()), session);
      if (isStateChanging(event)) {
        await findMode({ event, credentials });
        await assertPair({ event: caller, credentials });
      }
      if ("userId" in event.pathParameters && !isUserId(target)) throw noSuchUser();
      if (target === session.userId && isStateChanging(event)) throw ownAccount();
      const by: Operator = { by: `admin ${session.userId}`, requestId };
      Object.assign(event, { by, target });
    },
  };
}

/** The refusal of what is done to a user who is not there. */
const noSuchUser = () =>
  new AppError("not_found", { detail: "There is no such user, or the account is being deleted." });

/** Whoever locks himself out, or takes his role away, needs somebody with the rights of AWS to get back. */
const ownAccount = () =>
  new AppError("own_account", {
    detail: "This is your own account. Another administrator, or `npm run users`, can change it.",
  });

/** Throws AppError `not_found` where there is no user. */
export function assertFound<Found>(found: Found | undefined): Found {
  if (found === undefined) throw noSuchUser();
  return found;
}
