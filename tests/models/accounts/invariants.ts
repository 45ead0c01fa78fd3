import { emailIdentity, type IdentityEntry } from "../../../lib/accounts/identities.ts";
import { isBeingDeleted, isDisabled } from "../../../lib/accounts/is-disabled.ts";
import type { User } from "../../../lib/accounts/store.ts";
import type { Session } from "../../../lib/sessions/session.ts";
import { Violation } from "../explore.ts";
import type { Tables } from "../memory-table.ts";
import type { Outcome } from "./run.ts";
import { passwordOf } from "./stand-ins.ts";
import { isEnded, keyOf, minutes, outcomesOf, type Request, type Scenario, type World } from "./world.ts";

/** What must hold in every schedule. */
const invariants = {
  opened: "every account is opened by its address",
  indexed: "an entry that is not reserved is that of an account which names it",
  keeps: "whoever changes a proven address can be undone by it for as long as that is possible",
  undoable: "while a change can be undone the old address is kept for its account",
  once: "a request changes a thing once, however often it is sent and arrives",
  lasting: "what was answered 200 stays, unless somebody changes it who had not ended before",
  harmless: "a refused request has changed nothing",
  repeated: "what has taken effect is answered 200 when it comes again, unless somebody else has changed it",
  guarded: "a session that was ended changes nothing",
  raised: "whoever changes the password or the address ends all sessions",
  locked: "nobody gets into a disabled account by a change, nor into one that is being deleted",
  mailbox: "a code sets a password only while the account has the address that it was mailed to",
  firstProof:
    "with the first proof of the address by a code goes whatever else opens the account; later nothing",
  undone: "nothing that a thief has begun changes the account after the undo",
  true: "what is answered 200 is so, unless somebody else has changed it",
  given: "the session of a 200 is there, unless somebody else has ended it",
  swept: "a session that was ended opens nothing",
  revived: "nothing brings back a session that was ended",
  ends: "every request comes to an end, and to a right one",
  whole: "nothing is left half done",
} as const;

function hold(invariant: keyof typeof invariants, isHeld: boolean, what: () => unknown): void {
  if (!isHeld) throw new Violation(`${invariant}: ${invariants[invariant]}: ${JSON.stringify(what())}`);
}

/** What has been done so far. What users have is named by them, such as `ada email`. */
export interface History {
  /** Who has changed a thing last, and what each request has changed. */
  changedBy: Record<string, string>;
  changes: Record<string, string[]>;
  /** Which requests had ended when this one was sent first. */
  endedBefore: Record<string, string[]>;
  /** The keys of the sessions that somebody has, and of those of them that were ended. */
  held: string[];
  ended: string[];
}

const usersOf = ({ users = {} }: Tables) => users as unknown as Record<string, User>;
const entryOf = ({ identities }: Tables, email = "") =>
  identities?.[emailIdentity(email)] as IdentityEntry | undefined;
const sessionOf = ({ sessions }: Tables, key: string) => sessions?.[key] as Session | undefined;
const requestOf = ({ requests }: Scenario, name: string) =>
  requests.find((request) => request.name === name) as Request;

const stateOf = (user: User | undefined, now: number): string => {
  if (!user) return "absent";
  return isBeingDeleted(user, now) ? "being deleted" : user.disabledAt ? "disabled" : "living";
};
const thingsOf = (user: User | undefined, now: number): Record<string, unknown> => ({
  is: stateOf(user, now),
  ...(user && {
    ...{ email: user.email, password: passwordOf(user.passwordHash), epoch: user.sessionEpoch },
    identities: [...(user.identityIds ?? [])].join(),
  }),
});

function changesOf(userId: string, [was, is]: [User | undefined, User | undefined], now: number): string[] {
  const [before, after] = [thingsOf(was, now), thingsOf(is, now)];
  const names = Object.keys(after).filter((name) => before[name] !== after[name]);
  return names.map((name) => `${userId} ${name}`);
}

/** Where somebody writes. */
interface Writing {
  scenario: Scenario;
  world: World;
  name: string;
}

/** Checks a write at its moment, and notes it: `tables` are those after it. */
export function checkWrite({ scenario, world, name }: Writing, tables: Tables): History {
  const { requests, now } = world;
  const gone = world.history.held.filter((key) => sessionOf(world.tables, key) && !sessionOf(tables, key));
  const history = { ...world.history, ended: [...world.history.ended, ...gone].sort() };
  const [before, after] = [usersOf(world.tables), usersOf(tables)];
  const userIds = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const written = userIds.filter((userId) => before[userId] !== after[userId]);
  const changed = written.flatMap((userId) => changesOf(userId, [before[userId], after[userId]], now));
  if (changed.length === 0) return history;

  const earlier = history.changes[name] ?? [];
  // A deletion changes twice what an account is; the epoch may be raised again.
  const again = changed.filter((thing) => earlier.includes(thing) && !/ (is|epoch)$/.test(thing));
  hold("once", again.length === 0, () => [name, again]);
  const { outcome, attempts } = requests[name] ?? {};
  // An attempt that was not answered may still take effect, though a later one is refused.
  const isRefused = outcome !== undefined && outcome.is !== "done" && attempts === 1;
  hold("harmless", !isRefused, () => [name, outcome, changed]);
  const overturned = Object.entries(history.endedBefore).filter(([other, ended]) => {
    const isTheirs = history.changes[other]?.some((thing) => changed.includes(thing));
    return ended.includes(name) && isTheirs && requests[other]?.outcome?.is === "done";
  });
  hold("lasting", overturned.length === 0, () => [name, overturned]);

  const request = requestOf(scenario, name);
  const session = request.session?.(outcomesOf(world));
  const epoch = session && sessionOf(world.tables, keyOf(session))?.sessionEpoch;
  const current = before[session?.userId ?? ""]?.sessionEpoch;
  hold("guarded", epoch === undefined || epoch === current, () => [name, epoch, current]);
  const isUndone = scenario.requests.some((other) => other.isUndo && history.changes[other.name]);
  hold("undone", !request.isThiefs || !isUndone, () => [name, changed]);
  for (const userId of written) checkUser([before[userId], after[userId]], request, { tables, now });

  const changedBy = Object.fromEntries(changed.map((thing) => [thing, name]));
  const changes = { ...history.changes, [name]: [...new Set([...earlier, ...changed])].sort() };
  return { ...history, changedBy: { ...history.changedBy, ...changedBy }, changes };
}

function checkUser(
  [was, is]: [User | undefined, User | undefined],
  { isUndo = false, session }: Request,
  { tables, now }: Pick<World, "tables" | "now">,
) {
  if (!was || !is) return;
  const what = () => [was, is];
  const isKey = was.email !== is.email || passwordOf(was.passwordHash) !== passwordOf(is.passwordHash);
  hold("raised", !isKey || is.sessionEpoch > was.sessionEpoch, what);
  const isLeft = was.email !== is.email && was.emailVerifiedAt !== undefined && !isUndo;
  hold("keeps", !isLeft || (is.previousEmail === was.email && (is.undoUntil ?? 0) > now), what);
  hold("locked", !isKey || isUndo || !isDisabled(was, now), what);
  const isReset = was.resetBy !== is.resetBy && !isUndo;
  hold("mailbox", !isReset || tables.mails?.[is.resetBy ?? ""]?.email === was.email, what);
  const isFirst = !session && was.emailVerifiedAt === undefined && is.emailVerifiedAt !== undefined;
  const isOthers = is.identityIds !== undefined || (is.passwordHash && is.passwordHash === was.passwordHash);
  hold("firstProof", isFirst ? !isOthers : is.identityIds === was.identityIds, what);
}

/** Checks the tables as they stand. */
export function checkTables({ tables, history, now, requests }: World): void {
  for (const [userId, user] of Object.entries(usersOf(tables))) {
    const entry = entryOf(tables, user.email);
    hold("opened", entry?.userId === userId && entry.reservedUntil === undefined, () => [user, entry]);
    if ((user.undoUntil ?? 0) <= now) continue;
    const kept = entryOf(tables, user.previousEmail);
    const isKept = kept?.userId === userId && kept.reservedUntil === user.undoUntil;
    hold("undoable", isKept, () => [user, kept]);
  }
  for (const entry of Object.values(tables.identities ?? {}) as unknown as IdentityEntry[]) {
    const isNamed = entry.identity === emailIdentity(usersOf(tables)[entry.userId]?.email ?? "");
    hold("indexed", isNamed || entry.reservedUntil !== undefined, () => entry);
  }
  for (const key of history.held) {
    const session = sessionOf(tables, key);
    if (!session) continue;
    hold("revived", !history.ended.includes(key), () => session);
    const user = usersOf(tables)[session.userId];
    const isBeingDeleted = Object.entries(history.changes).some(([name, things]) => {
      return things.includes(`${session.userId} is`) && requests[name]?.outcome?.is !== "done";
    });
    const isBeingSwept = user ? user.sweptEpoch < user.sessionEpoch : isBeingDeleted;
    hold("swept", session.sessionEpoch === user?.sessionEpoch || isBeingSwept, () => [session, user]);
  }
}

/** Checks an answer at its moment. */
export function checkAnswer({ scenario, world, name }: Writing, { is, session }: Outcome): void {
  const { tables, history, requests } = world;
  const { promise, ends, isKnownAgain } = requestOf(scenario, name);
  hold("ends", ends.includes(is), () => [name, is]);
  const changed = history.changes[name] ?? [];
  const isOvertaken = changed.some((thing) => history.changedBy[thing] !== name);
  // A repetition may be refused since the first has done it.
  const isHarmless = changed.length === 0 || isOvertaken || Number(requests[name]?.attempts) > 1;
  hold("harmless", is === "done" || isHarmless, () => [name, is, changed]);
  const mayBeRefused = !isKnownAgain || changed.length === 0 || isOvertaken;
  hold("repeated", is === "done" || mayBeRefused, () => [name, is, changed]);
  if (is !== "done") return;

  const isEndedSince = Object.entries(history.changes).some(([other, things]) => {
    return other !== name && things.includes(`${session?.userId} epoch`);
  });
  hold("given", !session || sessionOf(tables, keyOf(session)) !== undefined || isEndedSince, () => session);
  if (isOvertaken) return;
  hold("true", !promise || promise(tables), () => [name, tables]);
  const left = history.held.filter((key) => {
    const { userId = "", sessionEpoch = 0 } = sessionOf(tables, key) ?? {};
    return (
      changed.includes(`${userId} epoch`) && sessionEpoch < Number(usersOf(tables)[userId]?.sessionEpoch)
    );
  });
  hold("swept", left.length === 0, () => [name, left]);
}

/** Checks a world in which nothing more is sent. */
export function checkRest(world: World, { requests, rest }: Scenario): void {
  const isOpen = ({ name, givesUp }: Request) => {
    return !givesUp && world.requests[name]?.attempts && !isEnded(world, name);
  };
  const open = requests.filter(isOpen).map(({ name }) => name);
  hold("ends", open.length === 0, () => open);
  hold("whole", !rest || rest(world), () => world.tables);
  // A disabled account waits for its operator.
  const later = world.now + minutes;
  const locked = Object.values(usersOf(world.tables)).filter((user) => isBeingDeleted(user, later));
  hold("whole", locked.length === 0, () => locked);
}
