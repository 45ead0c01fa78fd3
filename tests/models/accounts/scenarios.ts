import { emailIdentity } from "../../../lib/accounts/identities.ts";
import { hashPassword } from "../../../lib/factors/password-hash.ts";
import type { Mail } from "../../../lib/mail/mail.ts";
import { hashToken } from "../../../lib/tokens/refresh-token.ts";
import type { Item, Tables } from "../memory-table.ts";
import * as flows from "./programs.ts";
import type { Program } from "./run.ts";
import { passwordOf } from "./stand-ins.ts";
import {
  keyOf,
  minutes,
  type Outcomes,
  type Request,
  type Scenario,
  type SessionKey,
  startedAt,
} from "./world.ts";

const [a, b, c, d] = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"] as const;
const yesterday = startedAt - 86_400;
const passwordHash = await hashPassword("old");

const byKey = <T extends object>(items: T[], key: (item: T) => string) =>
  Object.fromEntries(items.map((item) => [key(item), item]));
const entry = (email: string, userId: string, more: object = {}) => {
  return { identity: emailIdentity(email), userId, createdAt: yesterday, ...more };
};
const sessionOf = (userId: string, sessionId = "1"): SessionKey => ({ userId, sessionId });

interface Start {
  isProven?: boolean;
  /** Ada has a password. */
  hasPassword?: boolean;
  /** When Ada and Bob have logged in. */
  loggedInAt?: number;
  ada?: object;
  entries?: ReturnType<typeof entry>[];
}

/** Two accounts: Ada has the address a and the sessions 1 and 2, Bob c and 1. The addresses b and d are free. */
function createTables({
  isProven = true,
  hasPassword = true,
  loggedInAt = yesterday,
  ada = {},
  entries = [],
}: Start = {}): Tables {
  const proven = { ...(isProven && { emailVerifiedAt: yesterday }), createdAt: yesterday };
  const user = { ...proven, sessionEpoch: 0, sweptEpoch: 0 };
  const users = [
    { ...user, userId: "ada", email: a, ...(hasPassword && { passwordHash }), ...ada },
    { ...user, userId: "bob", email: c, passwordHash },
  ];
  const sessions = [sessionOf("ada"), sessionOf("ada", "2"), sessionOf("bob")].map((key) => ({
    ...{ ...key, email: a, tokenHash: hashToken(flows.refreshToken), sessionEpoch: 0 },
    ...{ createdAt: loggedInAt, expiresAt: 2 * startedAt },
  }));
  const identities = [...users.map(({ email, userId }) => entry(email, userId)), ...entries];
  return {
    users: byKey(users, ({ userId }) => userId),
    identities: byKey(identities, ({ identity }) => identity),
    sessions: byKey(sessions, keyOf),
    mails: byKey(mails, ({ id }) => id),
  };
}

const mail = (id: string, kind: Mail["kind"], email: string, more: Partial<Mail>): Mail => ({
  ...{ id, kind, email, language: "en", createdAt: startedAt - 60, ...more },
  ...{ validUntil: startedAt + 3600, expiresAt: 2 * startedAt },
});
const change = (id: string, userId: string, fromEmail: string, email: string, sessionId = "1") =>
  mail(id, "email", email, { userId, fromEmail, sessionId });
const mails = [
  mail("c1", "register", d, { newUserId: "new" }),
  mail("c2", "register", d, { newUserId: "newer" }),
  ...[change("m1", "ada", a, b), change("m2", "ada", a, d), change("own", "ada", a, a)],
  change("bob's", "bob", c, b),
  // By the session that the change m1 opens, whatever its id.
  ...[1, 2, 3, 4, 5, 6].map((draw) => change(`m3 change-m1-1-${draw}`, "ada", b, d, `change-m1-1-${draw}`)),
  ...["r1", "r2"].map((id) => mail(id, "reset", a, { userId: "ada" })),
  mail("rb", "reset", b, { userId: "ada" }),
  mail("la", "login", a, { userId: "ada" }),
  mail("lb", "login", b, { userId: "ada" }),
  mail("u1", "undo", a, { userId: "ada", movedBy: "m1" }),
];

const isProven = (user: Item | undefined) => Number(user?.emailVerifiedAt) >= startedAt;
const hasPassword = (user: Item | undefined, password: string) =>
  passwordOf(user?.passwordHash as string | undefined) === password;
const opens =
  (email: string, password: string) =>
  ({ users, identities }: Tables) => {
    const { userId, reservedUntil } = identities?.[emailIdentity(email)] ?? {};
    const user = users?.[String(userId)];
    return reservedUntil === undefined && user?.email === email && hasPassword(user, password);
  };

// The requests, each with all ends that are right for it. Ada's are by her session 1, if nothing else is said.

const [ada1, ada2] = [sessionOf("ada"), sessionOf("ada", "2")];

const register = (email: string, password: string): Request => ({
  ...{ name: `register ${password}`, program: () => flows.register({ email, password }) },
  ...{ ends: ["done", "email_taken"], promise: opens(email, password) },
});
const confirm = (id: string, password: string): Request => ({
  ...{ name: `confirm ${id} ${password}`, ends: ["done", "code_expired", "email_taken"] },
  program: () => flows.confirmRegistration({ mail: id, password }),
  ...{ isKnownAgain: true, promise: opens(d, password) },
});
const login = (email: string, password: string): Request => ({
  ...{ name: `login ${password}`, program: () => flows.login({ email, password }) },
  ends: ["done", "invalid_credentials"],
});
const loginByCode = (id: string): Request => ({
  ...{ name: `code ${id}`, program: () => flows.loginByCode(id), ends: ["done", "code_expired"] },
});
const move = (id: string, session = ada1): Request => ({
  ...{ name: `change ${id}`, session: () => session },
  program: () => flows.confirmEmail({ session, mail: id }),
  ends: ["done", "invalid_token", "code_expired", "email_taken", "email_changed_recently"],
  promise({ users, mails }) {
    const user = users?.[session.userId];
    return user?.email === mails?.[id]?.email && isProven(user);
  },
});
const password = (to: string, session = ada1): Request => ({
  ...{ name: `password ${to}`, session: () => session },
  program: () => flows.changePassword({ session, from: "old", to }),
  ends: ["done", "invalid_token", "invalid_credentials", "too_many_requests"],
  promise: ({ users }) => hasPassword(users?.[session.userId], to),
});
const reset = (id: string, to: string): Request => ({
  ...{ name: `reset ${id} ${to}`, program: () => flows.reset({ mail: id, password: to }) },
  ...{ ends: ["done", "code_expired"], isKnownAgain: true },
  promise: ({ users }) => hasPassword(users?.ada, to) && users?.ada?.emailVerifiedAt !== undefined,
});
const undo = (to: string): Request => ({
  ...{ name: `undo ${to}`, program: () => flows.undo({ mail: "u1", password: to }) },
  ...{ isUndo: true, isKnownAgain: true, ends: ["done"], promise: opens(a, to) },
});
const remove = (session = ada1): Request => ({
  ...{ name: `delete by ${session.sessionId}`, session: () => session },
  program: () => flows.deleteAccount({ session, password: "old" }),
  ends: ["done", "invalid_token", "invalid_credentials", "email_changed_recently"],
  promise: ({ users }) => !users?.[session.userId],
});
const withoutPassword = { tables: createTables({ loggedInAt: startedAt, hasPassword: false }) };
const firstPassword = (to: string, session = ada1): Request => ({
  ...{ ...password(to, session), name: `first password ${to}`, ends: ["done", "invalid_token"] },
  program: () => flows.changePassword({ session, to }),
});
const removeWithout = (session = ada1): Request => ({
  ...{ ...remove(session), name: `delete without a password by ${session.sessionId}` },
  ends: ["done", "invalid_token", "email_changed_recently"],
  program: () => flows.deleteAccount({ session }),
});
const endOne = (session = ada1): Request => ({
  ...{ name: `end ${session.sessionId}`, program: () => flows.endSession(session), ends: ["done"] },
  promise: ({ sessions }) => !sessions?.[keyOf(session)],
});
const endAll: Request = {
  ...{ name: "end all", session: () => ada1, program: () => flows.endAll(ada1) },
  ...{
    ends: ["done", "invalid_token"],
    promise: ({ sessions }) => !sessions?.["ada 1"] && !sessions?.["ada 2"],
  },
};
const endOthers: Request = {
  ...{ name: "end all others", session: () => ada1, program: () => flows.endOthers(ada1) },
  ends: ["done", "invalid_token"],
  promise: ({ users, sessions }) =>
    sessions?.["ada 1"]?.sessionEpoch === users?.ada?.sessionEpoch && !sessions?.["ada 2"],
};
const disable: Request = {
  ...{ name: "an operator disables", program: () => flows.disable("ada"), ends: ["done"] },
  promise: ({ users }) => !users?.ada || users.ada.disabledAt !== undefined,
};

const then = (first: Request, request: Request, more: Partial<Request> = {}): Request => {
  return { ...request, name: `then ${request.name}`, after: [first.name], ...more };
};
const of = (requests: Request[], more: Partial<Scenario> = {}): Scenario => ({
  ...{ name: requests.map(({ name }) => name).join(" / "), tables: createTables(), requests, ...more },
});

const isDoneOrOpen = ({ outcome }: { outcome?: { is: string } } = {}) => !outcome || outcome.is === "done";
const unproven = { tables: createTables({ isProven: false, ada: { identityIds: new Set(["x"]) } }) };

const pairs: Scenario[] = [
  of([register(d, "one"), register(d, "two")]),
  of([register(b, "one"), move("m1")]),
  of([confirm("c1", "one"), confirm("c1", "two")]),
  of([confirm("c1", "one"), confirm("c2", "two")]),
  of([move("m1"), move("m2")]),
  of([move("m1"), move("bob's", sessionOf("bob"))]),
  ...[login(a, "old"), password("new", ada2), reset("r1", "new"), remove(ada2), endOne(), endAll].map(
    (other) => of([move("m1"), other]),
  ),
  of([reset("r1", "one"), reset("r1", "two")]),
  of([reset("r1", "one"), reset("r2", "two")]),
  of([reset("r1", "one"), then(reset("r1", "one"), reset("r2", "two"), { ends: ["code_expired"] })]),
  of([reset("r1", "one"), password("two")]),
  of([
    password("two"),
    then(password("two"), reset("r1", "one"), { when: "password two: ada password", ends: ["code_expired"] }),
  ]),
  of([reset("r1", "one"), login(a, "old")]),
  of([{ ...reset("r1", "one"), name: "first proof" }, login(a, "old")], unproven),
  of([{ ...reset("r1", "one"), name: "first proof" }, move("own")], unproven),
  ...[move("m1"), password("two"), reset("r1", "one"), remove(), endAll, disable].map((other) =>
    of([loginByCode("la"), other]),
  ),
  of([{ ...loginByCode("la"), name: "first proof by code" }, login(a, "old")], unproven),
  of([{ ...loginByCode("la"), name: "first proof by code" }, move("own")], unproven),
  of([move("m1"), move("own")], unproven),
  of([register(b, "one"), move("m1")], unproven),
  ...[register(a, "one"), { ...reset("r1", "one"), name: "first proof" }, password("new", ada2)].map(
    (other) => of([move("m1"), other], unproven),
  ),
  of([{ ...loginByCode("la"), name: "first proof by code" }, reset("r1", "one")], unproven),
  of([endAll, login(a, "old")]),
  of([endAll, password("new", ada2)]),
  of([endOthers, login(a, "old")]),
  of([{ ...endOthers, promise: ({ sessions }) => !sessions?.["ada 2"] }, endOne()]),
  of([endOthers, move("m1")]),
  of([endOthers, password("new", ada2)]),
  ...[login(a, "old"), reset("r1", "one"), password("new"), move("m1"), remove()].map((other) =>
    of([disable, other]),
  ),
  of([remove()], { rest: ({ tables: { users } }) => !users?.ada }),
  ...[login(a, "old"), remove(ada2), reset("r1", "one"), password("new", ada2), endOne()].map((other) =>
    of([remove(), other]),
  ),
  of([remove(), then(remove(), register(a, "one"))]),
  ...[firstPassword("two", ada2), reset("r1", "two"), move("m1", ada2), endOne(), endAll].map((other) =>
    of([firstPassword("one"), other], withoutPassword),
  ),
  ...[firstPassword("two", ada2), reset("r1", "two"), removeWithout(ada2), loginByCode("la")].map((other) =>
    of([removeWithout(), other], withoutPassword),
  ),
  ...[
    login(a, "old"),
    loginByCode("la"),
    reset("r1", "one"),
    password("new"),
    move("m1"),
    { ...remove(), givesUp: true },
  ].map((other) =>
    of(
      [
        { ...remove(), name: "a deletion breaks off", givesUp: true },
        { ...other, isLate: true },
      ],
      {
        jumps: [minutes + 1],
        rest: ({ tables: { users }, requests }) =>
          users?.ada?.deletingAt !== startedAt || isDoneOrOpen(requests[other.name]),
      },
    ),
  ),
];

/** With the session that another request has opened; where it has none, with the first. */
const opened = (name: string) => (outcomes: Outcomes) => outcomes[name]?.session ?? ada1;
const by = (name: string, request: Request, program: (session: SessionKey) => Program): Request => ({
  ...{ ...request, after: [name], session: opened(name) },
  program: (outcomes) => program(opened(name)(outcomes)),
});

// A thief, who has the session 1, the password and the mailbox b, changes the address; the owner undoes it.
const theft = { ...move("m1"), isThiefs: true, givesUp: true };
const cure = { ...undo("owner's"), when: `${theft.name}: ada email` };
const thiefs = (request: Request): Request => ({ ...request, isThiefs: true, givesUp: true });
const moved = { previousEmail: a, movedBy: "m1", undoUntil: startedAt + 1, email: b };

const longer: Scenario[] = [
  of([theft, cure]),
  of([theft, cure, then(cure, reset("r1", "older"), { ends: ["code_expired"] })]),
  of([
    ...[theft, cure],
    thiefs(
      by(theft.name, move("m3"), (session) =>
        flows.confirmEmail({ session, mail: `m3 ${session.sessionId}` }),
      ),
    ),
  ]),
  of([theft, cure, thiefs({ ...reset("rb", "thief's"), when: cure.when })]),
  of([theft, cure, thiefs({ ...login(b, "old"), when: cure.when })]),
  of([theft, cure, thiefs({ ...loginByCode("lb"), when: cure.when })]),
  of([
    ...[theft, cure],
    thiefs(
      by(theft.name, password("thief's"), (session) =>
        flows.changePassword({ session, from: "old", to: "thief's" }),
      ),
    ),
  ]),
  of([
    ...[theft, cure],
    thiefs(by(theft.name, remove(), (session) => flows.deleteAccount({ session, password: "old" }))),
  ]),
  of([theft, cure, disable]),
  of([
    theft,
    { ...undo("one"), when: cure.when, ends: ["done", "code_expired"] },
    { ...undo("two"), when: cure.when, ends: ["done", "code_expired"] },
  ]),
  of([{ ...undo("owner's"), ends: ["done", "code_expired"] }, register(a, "one")], {
    tables: createTables({ ada: moved, entries: [entry(a, "ada", { reservedUntil: startedAt + 1 })] }),
    jumps: [1],
  }),
  of([
    confirm("c1", "one"),
    then(confirm("c1", "one"), login(d, "one")),
    by("then login one", { ...remove(), name: "delete", promise: ({ users }) => !users?.new }, (session) =>
      flows.deleteAccount({ session, password: "one" }),
    ),
    then({ ...remove(), name: "delete" }, confirm("c1", "one"), {
      ...{ name: "confirm again", when: "delete: new is", ends: ["code_expired"] },
    }),
  ]),
];

export const scenarios: Scenario[] = [...pairs, ...longer];
