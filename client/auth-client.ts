import { AuthError, type FieldError, type Problem, parseResponse } from "./auth-error.ts";
import { createAuthFetch, type FetchInput } from "./auth-fetch.ts";
import type { Connection } from "./connection.ts";
import { createPost, toJson } from "./post.ts";
import type { Account, AccountChange, Claims, Credentials, ListedSession, Session } from "./resources.ts";
import { createSession } from "./session.ts";
import { type SessionState, stampOf } from "./state.ts";
import type { TokenStore, Tokens } from "./store.ts";
import { within } from "./within.ts";

export type {
  Account,
  AccountChange,
  Claims,
  Credentials,
  FieldError,
  ListedSession,
  Problem,
  Session,
  TokenStore,
  Tokens,
};
export { AuthError };

/** The options of a client; a browser application that is served by the API's own origin needs none. */
export interface AuthClientOptions {
  /** Where the API is; by default the page's own origin. */
  baseUrl?: string;
  /** Send an Idempotency-Key; true by default. `false` for an application whose server refreshes with the same cookie. */
  keys?: boolean;
  /** Given, the client is a bearer client and keeps its token pair there. */
  tokens?: TokenStore;
  /** Origins besides the API's that may see the credentials: services that trust its tokens. */
  origins?: readonly string[];
  /**
   * Called once when a session has ended by itself, in every tab that knew of it: with the error in
   * the tab that met one, without it where another tab did or logged out.
   */
  onSessionEnd?: (error?: AuthError) => void;
  /** Called in every other tab when somebody has logged in. */
  onSessionStart?: () => void;
  /** By default the global one. */
  fetch?: typeof fetch;
}

/**
 * What proves the user of a session, beside the password or in its place. None of it is needed where the account has no password, and
 * its user has logged in within the last 300 s.
 */
export interface UserProof {
  /** The code of an authenticator app, or a recovery code: after `second_factor_required`. */
  otp?: string | undefined;
  /** In place of password and code: of `provePasskey` (`serverless-auth-client/passkeys`). */
  passkey?: object;
  /** Of a bearer client, where there is no password. */
  refreshToken?: string;
}

/** A client of the API. Everything it returns may reject with AuthError. */
export interface AuthClient {
  /** Under which name a browser's client remembers things in localStorage. */
  readonly name: string;
  /** The token store of a bearer client. */
  readonly tokens: TokenStore | undefined;
  register(credentials: Credentials): Promise<{ userId: string; email: string }>;
  /**
   * Logs in, and makes sure that the browser keeps the cookie: else it rejects with `cookie_not_kept`. It rejects with
   * `second_factor_required` where the account has a second factor: then the same once more, with `otp`.
   */
  login(credentials: Credentials): Promise<void>;
  /** Ends the session here and in all tabs. If the API cannot be told it rejects; a bearer client forgets its pair first. */
  logout(): Promise<void>;
  /** Renews the token pair, unless it is younger than a minute. The client does this by itself. */
  refresh(): Promise<void>;
  me(): Promise<Claims>;
  /** All live sessions, newest first. */
  sessions(): Promise<ListedSession[]>;
  endSession(sessionId: string): Promise<void>;
  /** Ends every session of the user, this one too unless told otherwise. */
  endAllSessions(options?: { exceptCurrent?: boolean }): Promise<void>;
  /**
   * Changes the password, or sets the first one: every session of the user ends, and this client goes on in a new one. Where the answer was lost it
   * may reject with `password_changed`: then the user logs in with the new password.
   */
  changePassword(
    passwords: { currentPassword?: string | undefined; newPassword: string } & UserProof,
  ): Promise<void>;
  account(): Promise<Account>;
  deleteAccount(proof: { password?: string | undefined } & UserProof): Promise<void>;
  /**
   * The global `fetch`, with the session: addresses are relative to `baseUrl`, credentials go to the API's origin only,
   * and a request that met a 401 is sent once more with a renewed session. It resolves to the 401 if there is none; it
   * rejects with AuthError if renewing failed.
   */
  fetch(input: FetchInput, init?: RequestInit): Promise<Response>;
  /**
   * Sends a request with a JSON body, with the session, and resolves to the JSON of the response; GET by default. To another
   * origin goes the body alone.
   */
  call<T = void>(path: string, method?: string, body?: unknown): Promise<T>;
  /**
   * Sends a POST that opens a session, as `login` does, and resolves to the JSON of the response. With `lost` it goes out with the
   * session that it replaces, and is repeated; if it was done, but never answered, it rejects with that problem. A problem without
   * a code is for what gets the same answer again: nobody has to be logged in.
   * A path of another origin is refused with `unsupported`, and nothing is sent.
   */
  open<T = void>(path: string, body: unknown, lost?: Problem): Promise<T>;
}

interface SessionsPage {
  sessions: ListedSession[];
  nextCursor: string | null;
}

/** How a change of the password ends whose answer was lost. */
const passwordChanged = { code: "password_changed", detail: "Log in with the new password." };

/** Makes a client. Throws TypeError if `baseUrl` is not a URL, or where no page has an origin, is missing. */
export function createAuthClient(options: AuthClientOptions = {}): AuthClient {
  const {
    baseUrl = "",
    keys = true,
    tokens,
    origins = [],
    fetch: send = (...args) => fetch(...args),
  } = options;
  const base = new URL(baseUrl.replace(/\/*$/, "/"), globalThis.location?.href);
  const name = `auth-client ${base}`;
  const bearer = !!tokens;
  const connection: Connection = {
    send,
    base,
    origins: [base.origin, ...origins],
    bearer,
    keys,
    credentials: bearer ? "omit" : "include",
  };
  const post = createPost(connection);
  const session = createSession(options, name, post, me);
  const authFetch = createAuthFetch(connection, session);

  async function call<T = void>(path: string, method?: string, body?: unknown): Promise<T> {
    const init = method ? toJson(method, body) : ({ redirect: "error" } as const);
    return within(30_000, (signal) =>
      parseResponse(authFetch(path, { ...init, signal }, keys && !!method)),
    ) as Promise<T>;
  }

  async function me(): Promise<Claims> {
    const seen = stampOf(await session.load());
    const claims = await call<Claims>("auth/me");
    // That is right whatever the local clock shows.
    session.learn(seen, claims).catch(() => {});
    return claims;
  }

  async function open<T = void>(path: string, body: unknown, lost?: Problem): Promise<T> {
    if (!connection.origins.includes(new URL(path, base).origin))
      throw new AuthError(0, { code: "unsupported", detail: path });
    // Renews the JWT, if it has expired.
    if (lost?.code) await me();
    const { sid: older = "" } = await session.load();
    const answer = (await session.open(path, body, lost)) as T;
    if (bearer || lost) return answer;
    const opened = await session.load();
    const { status, sid } = await me().catch((error) => error);
    if (status !== 401 && sid !== older) return answer;
    await leave(opened);
    throw new AuthError(401, { code: "cookie_not_kept", detail: whyNoCookie(base) });
  }

  /** Takes away the cookie of a session that is over, and tells the other tabs; what was opened since is left alone. */
  const leave = (ended: SessionState) => session.logout(ended).catch(() => {});

  /** Sends what ends the session at the API. */
  async function end(path: string, body?: unknown): Promise<void> {
    const ended = await session.load();
    await call(path, "DELETE", body);
    await leave(ended);
  }

  // What other tabs do, and whatever has been there before this page. Without a key: everything was cleared.
  globalThis.addEventListener?.("storage", ({ key }) => {
    if ((key ?? name) === name) void session.load();
  });
  void session.load();

  return {
    register: (account) => post("auth/register", account) as Promise<{ userId: string; email: string }>,
    login: (credentials) => open("auth/login", credentials),
    logout: () => session.logout(),
    me,
    call,
    open,
    name,
    tokens,
    fetch: authFetch,

    async refresh() {
      const error = await session.renew(stampOf(await session.load()), true);
      if (error instanceof AuthError) throw error;
    },

    async sessions() {
      const all: ListedSession[] = [];
      for (let query = ""; ; ) {
        const { sessions, nextCursor } = await call<SessionsPage>(`auth/sessions${query}`);
        all.push(...sessions);
        if (!nextCursor) return all.sort((a, b) => b.createdAt - a.createdAt);
        query = `?cursor=${encodeURIComponent(nextCursor)}`;
      }
    },

    endSession: (sessionId) => call(`auth/sessions/${encodeURIComponent(sessionId)}`, "DELETE"),

    endAllSessions: ({ exceptCurrent } = {}) =>
      exceptCurrent ? call("auth/sessions?except=current", "DELETE") : end("auth/sessions"),

    changePassword: (passwords) => open("auth/password", passwords, passwordChanged),
    account: () => call("auth/account"),
    deleteAccount: (proof) => end("auth/account", proof),
  };
}

/** Says why a browser does not keep the auth cookie: the most probable reason. */
function whyNoCookie(base: URL): string {
  const reason =
    globalThis.location?.hostname !== base.hostname
      ? `${base.hostname} is another site`
      : base.protocol === "http:"
        ? "it needs https"
        : "cookies are off";
  return `No cookie: ${reason}.`;
}
