import { type ProblemCode, problems } from "../../lib/errors.ts";
import { createChain } from "./recorder.ts";
import type { Call, OpenedSession } from "./rig.ts";
import { type Run, windowSeconds } from "./run.ts";

/**
 * What must hold in every run. I1, I2, I7, I8 and I10 to I17 are judged here from the history of all calls, the log and the tables; I4
 * and I6 while the requests pass (recorder.ts), which sees what was applied, in which order; I3, I5 and I9 in both.
 * Not promised, and so not asked for: that a session without a key outlives a repeat later than its window (I1); that
 * clocks differ by more than 5 s; that the put of a session, which has one attempt, comes once more after that
 * session's end.
 */
const invariants = {
  I1: "none lost: an honest browser that repeats what met 503 or nothing keeps its session",
  I2: "none revived: what was ended, and answered so, is over for every call that begins later",
  I3: "none doubled: a refresh token has one successor and one predecessor, in answers and in the table",
  I4: "no resurrection: no write is applied to a session after its deletion",
  I5: "owner, birth and keys of a session never change; its rotation never goes back; its end is bounded",
  I6: "the epoch of a user never goes back, nor does the swept one, which is never ahead",
  I7: "theft is noticed: when both sides have used a pair, the second one ends the session, and neither goes on; who lacks the Session-Key gets nothing",
  I8: "no cookie but where a session is opened, renewed, kept or ended, and only logout clears it; no answer is a 500",
  I9: "a pair that we have not issued as one is refused without a request to the database",
  I10: "a 503 has a reason: no more of them than calls of the SDK whose every attempt met a fault",
  I11: "each request is one line in the log, with the one event that its answer says",
  I12: "each change of an account is one row of the audit trail, each new password and each used recovery code one notice, each new address two, and nothing else is",
  I13: "a password and an address that were answered 200 open the account until the next ones, and none before them do; a code and a token set one password",
  I14: "a code that was answered 202 is mailed, or it is noted that it was too late or for nobody",
  I15: "a code counts five tries",
  I16: "each account is opened by its address, and no other is",
  I17: "an account with a second factor is opened with a code alone; each code, and each answer of a passkey, counts for one request; steps and the times of challenges only rise",
} as const;

export function judge(run: Run): string[] {
  const checks = { I1: lost, I2: revived, I3: doubled, I5: overlong, I7: unnoticed, I8: cookies, I9: forged };
  const found = Object.entries({
    ...checks,
    I10: unavailable,
    I11: unlogged,
    I12: untold,
    I13: overruled,
    I14: unmailed,
    I15: guessed,
    I16: unopened,
    I17: halfProven,
  }).flatMap(([invariant, check]) => check(run).map((text) => ({ invariant, text })));
  const byInvariant = Object.groupBy([...run.recorder.violations, ...found], ({ invariant }) => invariant);
  return Object.entries(byInvariant).flatMap(([invariant, all = []]) => {
    const rule = invariants[invariant as keyof typeof invariants];
    return [`${invariant}, ${all.length} times not: ${rule}`, ...all.slice(0, 3).map(({ text }) => text)];
  });
}

const sessionIdOf = ({ presented }: Call) => presented?.key.sessionId ?? "";
const endings: Record<string, number> = {
  ...{ logout: 200, revokeAllSessions: 204, changePassword: 200, resetPassword: 200 },
  ...{ confirmEmailChange: 200, undoEmailChange: 200 },
};
/** Where a pair that another tab has just renewed is an `invalid_token`. */
const needsPair = ({ route }: Call) => ["askEmailChange", "confirmEmailChange"].includes(route);
const isEnding = ({ route, status, by }: Call) => by !== "forger" && endings[route] === status;
/** Nobody but the database knows whether it was done. */
const isUnknown = ({ status }: Call) => status === 503 || status === 0;
const mayEnd = ({ route, body = {} }: Call) =>
  route in endings && (route !== "changePassword" || "newPassword" in (body as object));
/** An end of all that broke off ends the caller's session, too, and says so. */
const isOvertaken = ({ route, code }: Call) => route === "revokeAllSessions" && code === "invalid_token";
/** The session that a login ends: what its browser had. */
const earlierOf = ({ route, cookies = [] }: Call) =>
  route === "login" ? cookies.map((cookie) => cookie.split(/[=.]/)[1]) : [];

/** Whether a call ends, if it is carried out, a session of this user. */
function covers(call: Call, sessionId: string, { email }: OpenedSession): boolean {
  if (call.route === "login") return earlierOf(call).includes(sessionId);
  if (call.route === "logout") return sessionIdOf(call) === sessionId;
  if (call.email !== email) return false;
  return !(call.keepsOwn && call.status === 204 && sessionIdOf(call) === sessionId);
}

function lost({ calls, sessions, spreadSeconds, mendedAt, recorder }: Run): string[] {
  const ended = calls.filter(
    (call) =>
      isEnding(call) || isOvertaken(call) || earlierOf(call).length > 0 || (isUnknown(call) && mayEnd(call)),
  );
  const byEmail = Object.groupBy(ended, ({ email }) => email);
  const ends = new Map(calls.map(({ issued, expiresAt }) => [issued?.token, expiresAt]));
  const presentedFirst = new Map<string, number>();
  return calls.flatMap((call) => {
    const { presented, by, route, endedAt, startTime, endTime, email } = call;
    if (!presented || by !== "browser") return [];
    if (!presentedFirst.has(presented.refreshToken)) presentedFirst.set(presented.refreshToken, startTime);
    const isLive = presented.claims.exp > endTime + spreadSeconds;
    if (route === "movies" && isLive && call.status !== 200 && call.status !== 0)
      return [`/movies: ${describe(call)}`];
    const isRefused =
      (route === "refresh" && (call.status === 400 || call.status === 401)) ||
      (call.code === "invalid_token" && isLive && !needsPair(call));
    if (call.startedAt > mendedAt && isUnknown(call)) return [`after all faults: ${describe(call)}`];
    if (!isRefused) return [];

    const session = sessions.get(sessionIdOf(call));
    if (!session || (session.stolenAt ?? Number.POSITIVE_INFINITY) < endedAt) return [];
    if ((ends.get(presented.token) ?? 0) <= endTime + spreadSeconds) return [];
    // Without a key a repeat is known for as long as the window lasts.
    const age = startTime - (presentedFirst.get(presented.refreshToken) ?? 0);
    const isKeyed = recorder.sessions.get(sessionIdOf(call))?.keyed === true;
    if (!isKeyed && age >= windowSeconds - 1 - spreadSeconds) return [];
    const isEnded = byEmail[email]?.some(
      (ending) =>
        covers(ending, sessionIdOf(call), session) &&
        ending.startedAt < endedAt &&
        (["login", "logout"].includes(ending.route) || session.startedAt < ending.endedAt),
    );
    return isEnded ? [] : [describe(call)];
  });
}

function revived({ calls, sessions, recorder, lines }: Run): string[] {
  const replays = new Set(
    lines.filter(({ event }) => event === "authn_token_reuse").map(({ requestId }) => requestId),
  );
  const answered = calls.filter(
    (call) => isEnding(call) || (replays.has(call.requestId) && call.status === 400),
  );
  const byEmail = Object.groupBy(answered, ({ email }) => email);
  const isSuccess = ({ route, status, code, by }: Call) =>
    by !== "forger" &&
    ((route === "refresh" && status === 200) ||
      (route === "askEmailChange" && status === 202) ||
      (route === "confirmEmailChange" && status === 200) ||
      (route === "changePassword" && (status === 200 || code === "invalid_body")));

  return calls.filter(isSuccess).flatMap((call) => {
    const sessionId = sessionIdOf(call);
    const session = sessions.get(sessionId);
    const ending = byEmail[call.email]?.find((ending) => {
      if (ending.endedAt >= call.startedAt) return false;
      if (ending.route === "refresh") return sessionIdOf(ending) === sessionId;
      if (!session || !covers(ending, sessionId, session)) return false;
      return ending.route === "logout" || (recorder.sessions.get(sessionId)?.epoch ?? 0) <= lastEnded(ending);
    });
    return ending ? [`${describe(call)} after ${describe(ending)}`] : [];
  });
}

/** The last epoch whose sessions a call ends: what some do when they are sent again may have been done at first. */
function lastEnded({ route, isRepeat, epochBefore }: Call): number {
  const isKnownAgain = ["resetPassword", "confirmEmailChange", "undoEmailChange"].includes(route);
  return isKnownAgain && isRepeat ? epochBefore - 1 : epochBefore;
}

function doubled({ calls }: Run): string[] {
  const link = createChain();
  return calls
    .filter(({ route, presented, issued }) => {
      if (route !== "refresh" || !presented || !issued) return false;
      const [from, to] = [presented.refreshToken, issued.refreshToken];
      return from !== to && !link(from, to);
    })
    .map((call) => `another successor: ${describe(call)}`);
}

function overlong({ calls, profile }: Run): string[] {
  const maxAge = Number(profile.environment?.SESSION_MAX_AGE_SECONDS ?? 2_592_000);
  return calls
    .filter(({ issued, expiresAt }) => issued && expiresAt > issued.claims.auth_time + maxAge)
    .map((call) => `longer than its life: ${describe(call)}`);
}

function unnoticed({ calls, sessions, recorder, spreadSeconds }: Run): string[] {
  const refreshes = calls.filter(({ route, by }) => route === "refresh" && by !== "forger");
  const stolen = calls.filter(
    (call) => call.by === "thief" && call.issued && recorder.sessions.get(sessionIdOf(call))?.bound,
  );
  const byToken = Object.groupBy(
    refreshes.filter((call) => sessions.get(sessionIdOf(call))?.stolenAt !== undefined),
    ({ presented }) => presented?.refreshToken ?? "",
  );
  const shared = Object.values(byToken).flatMap((sharers = []) => {
    const keyed = recorder.sessions.get(sessionIdOf(sharers[0] as Call))?.keyed === true;
    return sharers.flatMap((second) => {
      if (second.status !== 200 || second.issued?.refreshToken === second.presented?.refreshToken) return [];
      const first = sharers.find(
        ({ by, endedAt, issued, presented, startTime }) =>
          by !== second.by &&
          endedAt < second.startedAt &&
          issued &&
          issued.refreshToken !== presented?.refreshToken &&
          (keyed || second.startTime - startTime >= windowSeconds + spreadSeconds + 5),
      );
      return first ? [`${describe(second)} after ${describe(first)}`] : [];
    });
  });
  return [...stolen.map((call) => `without the Session-Key: ${describe(call)}`), ...shared];
}

const openings = ["login", "refresh", "logout", "changePassword", "confirmEmailChange"];

function cookies({ calls }: Run): string[] {
  return calls
    .filter((call) => {
      const { route, status, hasCookies, isCleared } = call;
      const mustHave = status === 200 && openings.includes(route);
      // The end of all others has the browser recognised in the new epoch.
      const mayHave = mustHave || (status === 204 && route === "revokeAllSessions");
      const isWrong = (hasCookies && !mayHave) || (mustHave && !hasCookies);
      return status === 500 || isWrong || (isCleared && route !== "logout");
    })
    .map(describe);
}

function forged({ calls }: Run): string[] {
  const expected = ["invalid_jwt_token", "invalid_refresh_token"];
  const isExpected = ({ route, code = "" }: Call) =>
    route === "refresh"
      ? expected.includes(code)
      : code === (route === "login" ? "invalid_passkey" : "code_expired");
  return calls
    .filter((call) => call.by === "forger" && !isExpected(call))
    .map((call) => `a forgery: ${describe(call)}`);
}

const textsOf = ({ body = {} }: Call) => body as Record<string, string | undefined>;

/** What a login opens the account with; of all others, what they set instead. */
function keysOf(call: Call): { password?: string | undefined; address?: string | undefined } {
  const { email, password, newPassword } = textsOf(call);
  return call.route === "login"
    ? { password, address: email }
    : { password: newPassword, address: call.address };
}

/** Of what nobody knows whether it was carried out, a late copy may be. */
function overruled({ calls, firstPassword }: Run): string[] {
  const sets = calls.filter((call) => call.route !== "login" && (call.status === 200 || isUnknown(call)));
  const byEmail = Object.groupBy(sets, ({ email }) => email);
  const logins = calls.filter((call) => call.route === "login" && textsOf(call).password !== undefined);
  const wrong = logins.flatMap((login) => {
    const [password, address] = (["password", "address"] as const).map((name) => {
      const own = keysOf(login)[name];
      const all = (byEmail[login.email] ?? []).filter((set) => keysOf(set)[name] !== undefined);
      // A password that its browser could not send in the end is in no call.
      const isFirst = own === { password: firstPassword, address: login.email }[name];
      return findKey(login, all, { isFirst, isOwn: (set) => keysOf(set)[name] === own });
    });
    const isWrong = password?.replacedBy ?? address?.replacedBy;
    if (login.status === 200) return isWrong ? [`${describe(login)} after ${describe(isWrong)}`] : [];
    const isRefused = login.code === "invalid_credentials" && password?.isLast && address?.isLast;
    return isRefused ? [`${describe(login)}, and both are right`] : [];
  });
  const proofOf = (set: Call) => textsOf(set).challenge ?? textsOf(set).token;
  const answered = sets.filter((set) => set.status === 200 && textsOf(set).newPassword && proofOf(set));
  const byProof = Object.values(Object.groupBy(answered, (set) => proofOf(set) ?? ""));
  const twice = byProof.filter((all = []) => new Set(all.map((set) => textsOf(set).newPassword)).size > 1);
  return [
    ...wrong,
    ...twice.map((all = []) => `two passwords were set by one: ${all.map(describe).join(", ")}`),
  ];
}

/** Whether the password or the address of a login is the last that was set, and what has surely replaced it. */
function findKey(
  login: Call,
  all: Call[],
  { isFirst, isOwn }: { isFirst: boolean; isOwn: (set: Call) => boolean },
) {
  const begun = all.filter((set) => set.startedAt < login.endedAt);
  const before = all.filter(({ status, endedAt }) => status === 200 && endedAt < login.startedAt);
  const others = begun.filter((set) => !isOwn(set));
  const isLast = (set: Call) =>
    isOwn(set) && !others.some((other) => isUnknown(other) || other.endedAt > set.startedAt);
  const isNext = (set: Call) =>
    !isOwn(set) && all.filter(isOwn).every((own) => own.status === 200 && own.endedAt < set.startedAt);
  return { isLast: begun.length === 0 ? isFirst : before.some(isLast), replacedBy: before.find(isNext) };
}

function unmailed({ calls, tables, mailed }: Run): string[] {
  const mails = new Map(tables.mails.map((mail) => [mail.id, mail]));
  return calls.flatMap((call) => {
    if (call.challenge === undefined) return [];
    const { sentAt, failure, email } = mails.get(call.challenge.split(".")[0]) ?? {};
    // Where it cannot be noted that a mail was sent, it was sent all the same.
    const isSent = mailed.has(`${email} ${call.mailedCode}`);
    return isSent || ["late", "none"].includes(failure) ? [] : [`${describe(call)}: ${sentAt} ${failure}`];
  });
}

function guessed({ calls }: Run): string[] {
  const byChallenge = Object.groupBy(calls, (call) => textsOf(call).challenge ?? "");
  return Object.entries(byChallenge).flatMap(([challenge, all = []]) => {
    const wrong = all.filter(({ code }) => code === "invalid_code");
    const last = Math.max(...wrong.map(({ endedAt }) => endedAt));
    const right = all.find(({ status, startedAt }) => status === 200 && startedAt > last);
    if (challenge === "" || wrong.length < 5 || (wrong.length === 5 && !right)) return [];
    return [
      `${wrong.length} wrong codes: ${wrong.map(describe).join(", ")}, and ${right && describe(right)}`,
    ];
  });
}

function unopened({ recorder, tables }: Run): string[] {
  const entries = new Map(tables.identities.map((entry) => [entry.identity, entry]));
  const users = tables.users.filter(({ userId }) => recorder.users.has(userId));
  const closed = users.filter(({ userId, email }) => {
    const entry = entries.get(`email:${email}`);
    return entry?.userId !== userId || entry?.reservedUntil !== undefined;
  });
  const others = tables.identities.filter(({ identity, userId, reservedUntil }) => {
    const user = users.find((user) => user.userId === userId);
    return user && reservedUntil === undefined && identity !== `email:${user.email}`;
  });
  return [
    ...closed.map(({ userId }) => `${userId} is not opened by its address`),
    ...others.map(({ userId }) => `${userId} has the entry of another address`),
  ];
}

function halfProven({ calls, owners }: Run): string[] {
  const isProof = ({ route }: Call) => ["login", "changePassword", "askEmailChange"].includes(route);
  const proven = calls.filter(
    (call) => (owners.has(call.email) || call.proof) && isProof(call) && [200, 202].includes(call.status),
  );
  const without = proven.filter(({ proof, issued }) => !proof || (issued && issued.claims.acr !== "aal2"));
  const byCode = Object.groupBy(proven, ({ email, proof }) => `${email} ${proof}`);
  const twice = Object.values(byCode).filter(
    (all = []) => new Set(all.map(({ key, requestId }) => key ?? requestId)).size > 1,
  );
  return [
    ...without.map((call) => `without a code: ${describe(call)}`),
    ...twice.map((all = []) => `by one code: ${all.map(describe).join(", ")}`),
  ];
}

const emailChanges = ["askEmailChange", "confirmEmailChange", "undoEmailChange"];

/** What is refused because others were faster, and not for trouble with the database, has no cause. */
function unavailable({ calls, profile, mendedAt, exhausted, lines }: Run): string[] {
  if (profile.hangs || profile.exhaustsQuota) return [];
  const causes = new Map(lines.map(({ requestId, errors = [] }) => [requestId, JSON.stringify(errors)]));
  const refused = calls.filter(
    ({ requestId, status, startedAt }) =>
      status === 503 && startedAt < mendedAt && !causes.get(requestId)?.includes("ran out of time"),
  );
  const hit = refused.filter(
    ({ requestId }) => (causes.get(requestId)?.match(/"message"/g)?.length ?? 0) > 1,
  );
  // Who proves the user loses, too, where the same account was changed meanwhile.
  const mayLose = ["login", "changePassword", "revokeAllSessions", ...emailChanges];
  const found = refused.filter((call) => !hit.includes(call) && !mayLose.includes(call.route)).map(describe);
  return hit.length <= exhausted
    ? found
    : [...found, `${hit.length} times 503, ${exhausted} times no attempt left`];
}

const successEvents: Record<string, string[]> = {
  login: ["authn_login_success"],
  refresh: ["session_renewed", "authn_token_repeat_unproven"],
  logout: ["session_logout"],
  revokeAllSessions: ["authn_token_revoked"],
  changePassword: ["authn_password_change"],
  resetPassword: ["authn_password_change"],
  ...{ forgotPassword: ["authn_code_requested"], askEmailChange: ["authn_code_requested"] },
  ...{ confirmEmailChange: ["user_updated"], undoEmailChange: ["user_updated"] },
};

/** How many mails tell of a change. */
const noticesOf: Record<string, number> = {
  authn_password_change: 1,
  user_updated: 2,
  recovery_code_used: 1,
};

function unlogged({ calls, lines }: Run): string[] {
  const byId = Object.groupBy(lines, ({ requestId }) => String(requestId));
  return calls.flatMap((call) => {
    const { requestId, route, status, code } = call;
    if (status === 0) return [];
    const [line, ...others] = byId[requestId] ?? [];
    const expected = code ? eventsOf(code as ProblemCode) : successEvents[route];
    const event = line?.event as string | undefined;
    const isSound =
      line !== undefined &&
      others.length === 0 &&
      line.status === status &&
      line.code === code &&
      (expected ? expected.includes(event ?? "") : event === undefined);
    return isSound ? [] : [`${describe(call)} is logged as ${event}, ${others.length} more`];
  });
}

function untold({ recorder, told: { rows, notices } }: Run): string[] {
  const named = new Map(rows.map(({ userId, change, event }) => [`${userId} ${change}`, event]));
  const noticed = Object.groupBy(notices, ({ changeId }) => changeId);
  const missing = [...recorder.changes].flatMap(([name, event]) => {
    const count = noticed[name.split("#")[1] ?? ""]?.length ?? 0;
    const isTold = named.get(name) === event && count === (noticesOf[event] ?? 0);
    return isTold ? [] : [`${event} ${name}: ${named.has(name) ? "a" : "no"} row, ${count} notices`];
  });
  const invented = [...named.keys()].filter((name) => !recorder.changes.has(name));
  return [...missing, ...invented.map((name) => `a row of no change: ${name}`)];
}

function eventsOf(code: ProblemCode): string[] {
  const { event = "input_validation_fail" } = problems[code] as { event?: string };
  return code === "token_expired" ? [event, "authn_token_reuse"] : [event];
}

/** A call in words, without its secrets. */
function describe({ by, route, email, status, code = "", presented, startedAt, endedAt, key }: Call): string {
  const sid = presented?.key.sessionId.slice(0, 8);
  const jti = presented?.claims.jti.slice(0, 6);
  const what = `${by} ${route} ${status} ${code}`.trim();
  return `${what} (${email.split("-")[0]}, session ${sid}, pair ${jti}${key ? ", keyed" : ""}, ${startedAt}–${endedAt})`;
}
