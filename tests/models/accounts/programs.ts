import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { createDirectory } from "../../../lib/accounts/directory.ts";
import { createEndOthers } from "../../../lib/accounts/end-others.ts";
import { createIdentityStore, emailIdentity } from "../../../lib/accounts/identities.ts";
import { createUserStore, type User } from "../../../lib/accounts/store.ts";
import { createConfirmRegistration } from "../../../lib/auth/account/confirm.ts";
import { createDeleteAccount } from "../../../lib/auth/account/delete.ts";
import { createRegister } from "../../../lib/auth/account/register.ts";
import { createLoginByCode } from "../../../lib/auth/login/code-confirm.ts";
import { createLogin } from "../../../lib/auth/login/password.ts";
import { createOpenSession } from "../../../lib/auth/open-session.ts";
import { createChangePassword } from "../../../lib/auth/password/change.ts";
import { createResetPassword } from "../../../lib/auth/password/reset.ts";
import { createProveCode } from "../../../lib/auth/prove-code.ts";
import { createEndAllSessions } from "../../../lib/auth/session/revoke-all.ts";
import { createSweep } from "../../../lib/auth/sweep.ts";
import { updateItem } from "../../../lib/dynamodb.ts";
import { AppError, type ProblemCode } from "../../../lib/errors.ts";
import { hashPassword, verifyPassword } from "../../../lib/factors/password-hash.ts";
import type { CodeKind } from "../../../lib/mail/kinds.ts";
import type { Mail } from "../../../lib/mail/store.ts";
import { createMailStore } from "../../../lib/mail/store.ts";
import { getLiveSession } from "../../../lib/sessions/live.ts";
import { createSessionStore, type SessionAddress } from "../../../lib/sessions/store.ts";
import { transact } from "../../../lib/transaction.ts";
import type { Item } from "../memory-table.ts";
import { noKeys, pairs } from "../use-cases.ts";
import type { Program, Tools } from "./run.ts";

const tables = { usersTable: "users", identitiesTable: "identities", sessionsTable: "sessions" };
export const weekSeconds = 604_800;

/** The use cases over the tables of the model. What only counts and limits is left out. */
function createUseCases({ client, now }: Tools) {
  const clock = () => now;
  const users = createUserStore(client, tables.usersTable);
  const identities = createIdentityStore(client, tables.identitiesTable);
  const directory = createDirectory(client, tables);
  const sessions = {
    ...createSessionStore(client, "sessions"),
    /** As the store's, whose client without retries is one of its own. */
    async put(Item: object): Promise<void> {
      const ConditionExpression = "attribute_not_exists(sessionId)";
      await client
        .send(new PutCommand({ TableName: "sessions", Item, ConditionExpression }))
        .catch(unavailable);
    },
  };
  const attempts = {
    count: async ({ email }: { email: string }) => ({ email, id: "", count: 1, device: undefined }),
    recount: async <T>(attempt: T) => attempt,
    succeed: async () => {},
  };
  const lifetimes = { refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 2_592_000 };
  const openSession = createOpenSession({ users, sessions, pairs, clock, ...lifetimes });
  const opening = {
    users,
    attempts,
    devices: { remember: async () => "", find: async () => undefined },
    pairs,
    openSession,
    clock,
  };
  const sources = { count: async () => {} };
  const endOthers = createEndOthers(client, tables);
  const forLogin = { identities, sources, endEarlierSessions: async () => {}, tellNewDevice: async () => {} };
  const readCommonPasswords = () => new Set<string>();
  // Whoever has the challenge has the code: wrong ones are not what this is about.
  const mails = createMailStore(client, "mails");
  const challenges = { open: async (_: unknown, challenge: string) => challenge };
  const proveCode = createProveCode({ mails, challenges, codes: { isRight: async () => true }, clock });
  const proving = { proveCode, readCommonPasswords, clock };
  return {
    ...{ client, users, sessions, openSession, proveCode },
    getLive: (session: SessionAddress) => getLiveSession(sessions, session, now),
    register: createRegister({ directory, clock, readCommonPasswords, sources }),
    login: createLogin({ ...opening, ...forLogin }),
    confirmRegistration: createConfirmRegistration({ ...proving, mails, directory }),
    loginByCode: createLoginByCode({ ...opening, ...forLogin, proveCode }),
    resetPassword: createResetPassword({ ...proving, users, sessions, forgetAttempts: async () => {} }),
    changePassword: createChangePassword({ ...opening, readCommonPasswords }),
    deleteAccount: createDeleteAccount({ users, endOthers, directory, sessions, attempts, clock }),
    ...createEndAllSessions({ sessions, users, endOthers, clock }),
    sweep: createSweep({ sessions, users }),
  };
}
type UseCases = ReturnType<typeof createUseCases>;

function unavailable(error: unknown): never {
  throw new AppError("unavailable", { cause: error });
}

const request = { requestId: "", device: undefined, language: "en" as const, ...noKeys };

const refuse = (code: ProblemCode): never => {
  throw new AppError(code);
};

const isOpened = (result: unknown): result is { pair: SessionAddress } =>
  typeof result === "object" && result !== null && "pair" in result;
const toKey = ({ userId, sessionId }: SessionAddress) => ({ userId, sessionId });

/** Every refusal is an outcome; whoever opens a session gives its pair. */
function program(flow: string, run: (useCases: UseCases, tools: Tools) => Promise<unknown>): Program {
  return {
    flow,
    async run(tools) {
      try {
        const result = await run(createUseCases(tools), tools);
        return { is: "done", ...(isOpened(result) && { session: toKey(result.pair) }) };
      } catch (error) {
        if (error instanceof AppError) return { is: error.code };
        throw error;
      }
    },
  };
}

/** `POST /auth/register`, mode open. */
export const register = ({ email, password }: { email: string; password: string }) =>
  program("register", ({ register }) => register({ ...request, email, password }));

/** `POST /auth/register/confirm`. */
export const confirmRegistration = ({ mail, password }: { mail: string; password: string }) =>
  program("confirmRegistration", ({ confirmRegistration }) =>
    confirmRegistration({ ...request, challenge: mail, code: "", password }),
  );

/** `POST /auth/login`. */
export const login = ({ email, password }: { email: string; password: string }) =>
  program("login", ({ login }) => login({ ...request, email, password, pairs: [] }));

/** `POST /auth/login/code/confirm`, of a client with a key. */
export const loginByCode = (mail: string) =>
  program("loginByCode", ({ loginByCode }) =>
    loginByCode({ ...request, challenge: mail, code: "", pairs: [], idempotencyKey: "a client's key" }),
  );

/** `POST /auth/logout`, or the end of one session by another. */
export const endSession = (session: SessionAddress) =>
  program("endSession", ({ sessions }) => sessions.delete(session));

/** `DELETE /auth/sessions`, and `?except=current`. */
export const endAll = (session: SessionAddress) =>
  program("endAll", async ({ getLive, endAll }) => endAll(await getLive(session), { requestId: "" }));
export const endOthers = (session: SessionAddress) =>
  program("endOthers", async ({ getLive, endAllOthers }) =>
    endAllOthers(await getLive(session), { requestId: "" }),
  );

/** `POST /auth/password`. */
export const changePassword = ({
  session,
  from,
  to,
}: {
  session: SessionAddress;
  from: string;
  to: string;
}) =>
  program("changePassword", async ({ getLive, changePassword }) => {
    const change = { ...request, currentPassword: from, newPassword: to };
    return changePassword(await getLive(session), change);
  });

/** `POST /auth/password/reset`. */
export const reset = ({ mail, password }: { mail: string; password: string }) =>
  program("reset", ({ resetPassword }) =>
    resetPassword({ ...request, challenge: mail, code: "", newPassword: password }),
  );

/** `DELETE /auth/account`. */
export const deleteAccount = ({ session, password }: { session: SessionAddress; password: string }) =>
  program("deleteAccount", async ({ getLive, deleteAccount }) => {
    await deleteAccount(await getLive(session), { ...request, password });
  });

// What follows is not built yet: the conditions of spec section 7 and their order, and nothing else.

const isEnabled = "attribute_not_exists(disabledAt) AND attribute_not_exists(deletingAt)";
const isCallers = `sessionEpoch = :epoch AND ${isEnabled}`;
const isNotUndoable = "(attribute_not_exists(undoUntil) OR undoUntil <= :now)";

const prove = ({ proveCode }: UseCases, kind: CodeKind, challenge: string) =>
  proveCode(kind, { challenge, code: "" });

const putEntry = (email: string, userId: string, now: number) => ({
  Put: {
    ...{ TableName: "identities", Item: { identity: emailIdentity(email), userId, createdAt: now } },
    ConditionExpression: "attribute_not_exists(userId) OR reservedUntil <= :now",
    ExpressionAttributeValues: { ":now": now },
  },
});
const updateUser = (userId: string, update: string, condition: string, values: Item) => ({
  Update: {
    ...{ TableName: "users", Key: { userId }, UpdateExpression: update },
    ...{ ConditionExpression: condition, ExpressionAttributeValues: values },
  },
});

const isRight = async (user: User | undefined, password: string) =>
  user !== undefined && (await verifyPassword(user.passwordHash, password));

/** `POST /auth/email/confirm`; with one's own address, which proves it. */
export const confirmEmail = ({ session, mail }: { session: SessionAddress; mail: string }) =>
  program("confirmEmail", async (useCases, { now }) => {
    const { client, users, getLive, openSession } = useCases;
    const { userId, sessionId, sessionEpoch } = await getLive(session);
    const { email, fromEmail: old = "", ...asked } = await prove(useCases, "email", mail);
    if (asked.userId !== userId || asked.sessionId !== sessionId) return refuse("code_expired");
    let user = await users.find(userId);
    if (user?.sessionEpoch === sessionEpoch) {
      if (user.email !== old) return refuse("code_expired");
      if (email === old) return proveOwn();
      const result = await transact(client, move(), {
        isDone: async () => isMoved(await users.find(userId)),
      });
      if (!result.written && result.verdicts[2]?.isRefused) return refuse("unavailable");
      if (!result.written) return refuse("email_taken");
      user = { ...user, email, sessionEpoch: sessionEpoch + 1 };
    } else if (!isMoved(user)) return refuse("invalid_token");
    const pair = await openSession(user, request);
    return pair ? { pair } : refuse("invalid_token");

    /** By this very change, and nothing has ended the caller's sessions since. */
    function isMoved(user: User | undefined): user is User {
      return user?.movedBy === mail && user.sessionEpoch === sessionEpoch + 1;
    }

    function move() {
      const until = now + weekSeconds;
      return [
        putEntry(email, userId, now),
        {
          Put: {
            TableName: "identities",
            Item: { identity: emailIdentity(old), userId, createdAt: now, reservedUntil: until },
            ConditionExpression: "userId = :user AND attribute_not_exists(reservedUntil)",
            ExpressionAttributeValues: { ":user": userId },
          },
        },
        updateUser(
          userId,
          "SET email = :email, emailVerifiedAt = :now, previousEmail = :old, movedBy = :id, undoUntil = :until, " +
            "sessionEpoch = sessionEpoch + :one",
          `email = :old AND ${isCallers} AND ${isNotUndoable}`,
          {
            ...{ ":email": email, ":now": now, ":old": old, ":id": mail, ":until": until, ":one": 1 },
            ":epoch": sessionEpoch,
          },
        ),
      ];
    }

    async function proveOwn(): Promise<void> {
      const { written } = await updateItem(
        client,
        { TableName: "users", Key: { userId } },
        {
          UpdateExpression: "SET emailVerifiedAt = :now",
          ConditionExpression: `email = :old AND ${isCallers}`,
          ExpressionAttributeValues: { ":now": now, ":old": old, ":epoch": sessionEpoch },
        },
      );
      if (!written) refuse("unavailable");
    }
  });

/** `POST /auth/email/undo`. The token is right. */
export const undo = ({ mail, password }: { mail: string; password: string }) =>
  program("undo", async (useCases, { now }) => {
    const { client, users, sweep } = useCases;
    const { Item } = await client
      .send(new GetCommand({ TableName: "mails", Key: { id: mail } }))
      .catch(unavailable);
    const { id, userId = "", movedBy } = (Item as Mail | undefined) ?? refuse("code_expired");
    const to = await hashPassword(password);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const user = await users.find(userId);
      if (await isUndone(user)) return sweep(user as User);
      if (user?.movedBy !== movedBy || !user?.undoUntil || user.undoUntil <= now)
        return refuse("code_expired");
      const isDone = async () => isUndone(await users.find(userId));
      const { written } = await transact(client, back(user), { isDone });
      if (written) return sweep({ ...user, sessionEpoch: user.sessionEpoch + 1 });
    }
    return refuse("unavailable");

    async function isUndone(user: User | undefined): Promise<boolean> {
      return user?.resetBy === id && (await isRight(user, password));
    }

    function back({ email, previousEmail: old = "", sessionEpoch }: User) {
      return [
        {
          Put: {
            TableName: "identities",
            Item: { identity: emailIdentity(old), userId, createdAt: now },
            ConditionExpression: "userId = :user AND reservedUntil > :now",
            ExpressionAttributeValues: { ":user": userId, ":now": now },
          },
        },
        {
          Delete: {
            ...{ TableName: "identities", Key: { identity: emailIdentity(email) } },
            ConditionExpression: "userId = :user",
            ExpressionAttributeValues: { ":user": userId },
          },
        },
        updateUser(
          userId,
          "SET email = :old, passwordHash = :to, sessionEpoch = sessionEpoch + :one, passwordChangedAt = :now, " +
            "resetBy = :id REMOVE movedBy, undoUntil, previousEmail",
          "movedBy = :change AND sessionEpoch = :epoch",
          {
            ...{ ":old": old, ":to": to, ":one": 1, ":now": now, ":id": id },
            ...{ ":change": movedBy, ":epoch": sessionEpoch },
          },
        ),
      ];
    }
  });

/** What an operator does. */
export const disable = (userId: string) =>
  program("disable", async ({ client, sweep }, { now }) => {
    const { item } = await updateItem(
      client,
      { TableName: "users", Key: { userId } },
      {
        UpdateExpression: "SET disabledAt = :now, sessionEpoch = sessionEpoch + :one",
        ConditionExpression: "attribute_exists(userId) AND attribute_not_exists(disabledAt)",
        ExpressionAttributeValues: { ":now": now, ":one": 1 },
      },
    );
    if (item) await sweep(item as User);
  });
