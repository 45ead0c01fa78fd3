import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { createDirectory } from "../../../lib/accounts/directory.ts";
import { createEndOthers } from "../../../lib/accounts/end-others.ts";
import { createIdentityStore } from "../../../lib/accounts/identities.ts";
import { createMoves } from "../../../lib/accounts/moves.ts";
import { createUserStore, type User } from "../../../lib/accounts/store.ts";
import { createConfirmRegistration } from "../../../lib/auth/account/confirm.ts";
import { createDeleteAccount } from "../../../lib/auth/account/delete.ts";
import { createRegister } from "../../../lib/auth/account/register.ts";
import { createConfirmEmailChange } from "../../../lib/auth/email/confirm.ts";
import { createUndoEmailChange } from "../../../lib/auth/email/undo.ts";
import { createLoginByCode } from "../../../lib/auth/login/code-confirm.ts";
import { createLogin } from "../../../lib/auth/login/password.ts";
import { createNameUse } from "../../../lib/auth/name-use.ts";
import { createOpenSession } from "../../../lib/auth/open-session.ts";
import { createChangePassword } from "../../../lib/auth/password/change.ts";
import { createResetPassword } from "../../../lib/auth/password/reset.ts";
import { createProveCode } from "../../../lib/auth/prove-code.ts";
import { createProveUser } from "../../../lib/auth/prove-user.ts";
import { createEndAllSessions } from "../../../lib/auth/session/revoke-all.ts";
import { createSweep } from "../../../lib/auth/sweep.ts";
import { updateItem } from "../../../lib/dynamodb.ts";
import { AppError } from "../../../lib/errors.ts";
import { createMailStore } from "../../../lib/mail/store.ts";
import { getLiveSession } from "../../../lib/sessions/live.ts";
import { createSessionStore, type SessionAddress } from "../../../lib/sessions/store.ts";
import { noKeys, pairs } from "../use-cases.ts";
import type { Program, Tools } from "./run.ts";

const tables = { usersTable: "users", identitiesTable: "identities", sessionsTable: "sessions" };

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
  const openSession = createOpenSession({
    users,
    sessions,
    pairs,
    challenges: undefined,
    clock,
    ...lifetimes,
  });
  const opening = {
    users,
    attempts,
    devices: { remember: async () => "", find: async () => undefined },
    pairs,
    openSession,
    clock,
  };
  // Nobody here has a second factor.
  const lookAtOtp = async () => undefined;
  const proveUser = createProveUser({
    attempts,
    lookAtOtp,
    passkeys: undefined,
    nameUse: createNameUse("deletion"),
    clock,
  });
  const sources = { count: async () => {} };
  const endOthers = createEndOthers(client, tables);
  const forLogin = {
    identities,
    sources,
    endEarlierSessions: async () => {},
    tellNewDevice: async () => {},
    tellFactorRefused: undefined,
  };
  const commonPasswords: ReadonlySet<string> = new Set();
  // Whoever has the challenge has the code: wrong ones are not what this is about.
  const mails = createMailStore(client, "mails");
  const open = async (_: unknown, text: string) => text;
  const challenges = { open };
  const proveCode = createProveCode({
    mails,
    challenges,
    codes: { isRight: async () => true, isOf: () => true },
    clock,
  });
  const proving = { proveCode, commonPasswords, clock };
  const moves = createMoves(client, tables);
  const undoing = { codes: { openToken: open, isOf: () => true }, mails, sources, users, moves, sessions };
  return {
    ...{ client, sessions },
    getLive: (session: SessionAddress) => getLiveSession(sessions, session, now),
    register: createRegister({ directory, clock, commonPasswords, sources }),
    login: createLogin({ ...opening, ...forLogin, lookAtOtp }),
    confirmRegistration: createConfirmRegistration({
      ...proving,
      mails,
      directory,
      parseRegistration: undefined,
    }),
    loginByCode: createLoginByCode({ ...opening, ...forLogin, lookAtOtp, mails, proveCode }),
    resetPassword: createResetPassword({
      ...proving,
      ...{ attempts, lookAtOtp },
      proveToken: () => Promise.reject(new TypeError("no operator is in this model")),
      users,
      sessions,
      forgetAttempts: async () => {},
    }),
    changePassword: createChangePassword({ ...opening, proveUser, commonPasswords }),
    confirmEmail: createConfirmEmailChange({ ...opening, proveCode, moves }),
    undoEmail: createUndoEmailChange({ ...undoing, commonPasswords, clock }),
    deleteAccount: createDeleteAccount({ users, endOthers, directory, sessions, proveUser, clock }),
    ...createEndAllSessions({ sessions, users, endOthers, clock }),
    sweep: createSweep({ sessions, users }),
  };
}
type UseCases = ReturnType<typeof createUseCases>;

function unavailable(error: unknown): never {
  throw new AppError("unavailable", { cause: error });
}

/** That of every session here. */
export const refreshToken = "A".repeat(43);
const caller = { requestId: "", device: undefined, refreshToken };
const request = { ...caller, language: "en" as const, ...noKeys };

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
  from?: string;
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
export const deleteAccount = ({ session, password }: { session: SessionAddress; password?: string }) =>
  program("deleteAccount", async ({ getLive, deleteAccount }) => {
    await deleteAccount(await getLive(session), { ...request, password });
  });

/** `POST /auth/email/confirm`; with one's own address, which proves it. */
export const confirmEmail = ({ session, mail }: { session: SessionAddress; mail: string }) =>
  program("confirmEmail", async ({ getLive, confirmEmail }) => {
    const confirmed = await confirmEmail(await getLive(session), { ...request, challenge: mail, code: "" });
    return confirmed.opened;
  });

/** `POST /auth/email/undo`. The token is right. */
export const undo = ({ mail, password }: { mail: string; password: string }) =>
  program("undo", ({ undoEmail }) => undoEmail({ ...request, token: mail, newPassword: password }));

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
