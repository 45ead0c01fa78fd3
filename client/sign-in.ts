import { type AuthClient, AuthError } from "./auth-client.ts";
import { createKeptList } from "./kept-list.ts";
import { bearerPair } from "./kept-tokens.ts";
import { isPageOf, type Returned, takeReturn } from "./provider-return.ts";
import type { Identity } from "./resources.ts";
import { maxWaitSeconds, sleep } from "./sleep.ts";

export type { Identity };

/** A provider that users can sign in with, such as Google. */
export interface Provider {
  id: string;
  /** What a button says. */
  name: string;
}

/** How a sign-in is begun. */
export interface BeginOptions {
  /** The page that the provider returns to, or leads on to, as it stands in `IDENTITY_PROVIDERS`; by default the first one there. */
  redirectUri?: string;
  /** Opens the provider's page; by default in the place of this one. */
  open?: (url: string) => unknown;
}

/** How a sign-in is ended. */
export interface FinishOptions {
  /** The code of an authenticator app, or a recovery code. */
  otp?: string;
  /** What was opened when the provider returned; by default the address of the page. */
  url?: string;
}

/** What was ended when a provider had returned. */
export interface Finished {
  /** The id of the provider. */
  provider: string;
  /** The identity, where one was linked; without it somebody has signed in. */
  linked?: Identity;
}

/**
 * What an account does with other providers. Everything may reject with AuthError; `finishSignIn` also with `sign_in_cancelled`
 * where the provider has refused, and with `sign_in_over` where the sign-in was not begun here, or too long ago.
 */
export interface SignInClient {
  providers(): Promise<Provider[]>;
  /** Begins a sign-in, and goes to the provider. */
  signInWith(provider: string, options?: BeginOptions): Promise<void>;
  /** The same to link an identity to the account of who is logged in; needs a login of the last 300 s. */
  linkWith(provider: string, options?: BeginOptions): Promise<void>;
  /**
   * Ends what was begun, on the page that the provider has returned to; what the provider has added is taken off the address bar.
   * Undefined on a page that was opened without that, or where it was done before. It may be called again: with `otp` after
   * `second_factor_required`, and after trouble.
   */
  finishSignIn(options?: FinishOptions): Promise<Finished | undefined>;
  /**
   * Signs in with an ID token of the provider's own SDK, in an app or by Google's One Tap: `getIdToken` has it made for this nonce. After
   * `second_factor_required` call it again with `otp`; the same token is sent then. A call without `otp` begins anew, with a new token:
   * somebody else may have come.
   */
  signInWithIdToken(
    provider: string,
    getIdToken: (nonce: string) => Promise<string>,
    options?: Pick<FinishOptions, "otp">,
  ): Promise<void>;
  /** All identities of the account, the oldest first. */
  identities(): Promise<Identity[]>;
  /** Removes an identity, and ends all other sessions; needs a login of the last 300 s. */
  unlink(identityId: string): Promise<void>;
}

/** What the API answers who begins; `flow` only a bearer client: a browser has it in a cookie. */
interface Begun {
  authorizationUrl: string;
  state: string;
  nonce: string;
  flow?: string;
}

/** What is kept of a sign-in that was begun. */
interface Kept {
  state: string;
  flow: string | undefined;
  provider: string;
  /** The page that the provider returns to; undefined where a form of it leads on to one that is not known. */
  redirectUri: string | undefined;
  isLink: boolean;
  untilMs: number;
  isDone?: true;
}

/** A sign-in at a provider takes at most so long. */
const flowMs = 600_000;
const maxKept = 4;
const maxTries = 3;

/** Makes what an account does with other providers, beside a client of the API. */
export function createSignInClient(auth: AuthClient): SignInClient {
  const { name, tokens, call } = auth;
  // A bearer client's half opens the session by itself: it stays in the tab. Any tab of a browser may end what it has begun.
  const kept = createKeptList<Kept>(`${name} sign-ins`, () => (tokens ? sessionStorage : localStorage));
  let pending: Promise<Finished | undefined> | undefined;
  /** What may be tried again. */
  let returned: Returned | undefined;
  let native: { provider: string; body: object } | undefined;

  async function begin(
    path: string,
    { redirectUri, open = (url) => location.assign(url) }: BeginOptions = {},
    what: Pick<Kept, "provider" | "isLink">,
  ): Promise<void> {
    const { authorizationUrl, state, flow } = await ask(path, { redirectUri }).catch(async (error) => {
      const begun = error.code === "invalid_body" && (await ask(path, {}));
      if (!begun || !isForm(redirectOf(begun))) throw error;
      return begun;
    });
    const sent = redirectOf({ authorizationUrl });
    const page = isForm(sent) ? redirectUri : sent;
    note({ ...what, state, flow, redirectUri: page, untilMs: Date.now() + flowMs });
    await open(authorizationUrl);
  }

  /** A bearer client may have no session yet: it says what it is. */
  async function ask(path: string, body: object): Promise<Begun> {
    if (!tokens) return call(path, "POST", body);
    const headers = { "content-type": "application/json", "auth-mode": "bearer" };
    const init = { method: "POST", headers, body: JSON.stringify(body), redirect: "error" } as const;
    const response = await auth.fetch(path, init).catch(refuse);
    const answer = await response.json().catch(refuse);
    if (!response.ok) throw new AuthError(response.status, answer);
    return answer;
  }

  /** Keeps a sign-in, in the place of what was kept of it. */
  function note(what: Kept): void {
    kept.save([what, ...othersThan(what.state)].slice(0, maxKept));
  }

  const othersThan = (state: string) => kept.load().filter((each) => each.state !== state);

  async function finish({ state, code, iss, page }: Returned, otp?: string): Promise<Finished | undefined> {
    const begun = kept.load().find((each) => each.state === state);
    if (!begun || !isPageOf(begun.redirectUri, page)) throw over();
    if (begun.isDone) return undefined;
    const { provider, isLink, flow } = begun;
    try {
      if (code === undefined) throw cancelled();
      const body = { code, state, iss, flow };
      const linked = isLink ? await link(provider, body) : undefined;
      if (!isLink) await auth.open(`auth/external/${provider}/finish`, { ...body, otp }, {});
      note({ ...begun, isDone: true });
      return linked ? { provider, linked } : { provider };
    } catch (error) {
      if (!isMendable(error as AuthError)) kept.save(othersThan(state));
      throw error;
    }
  }

  async function finishOnce({ otp, url }: FinishOptions = {}): Promise<Finished | undefined> {
    returned = takeReturn(url) ?? returned;
    let isOver = true;
    try {
      return returned && (await finish(returned, otp));
    } catch (error) {
      isOver = !isMendable(error as AuthError);
      throw error;
    } finally {
      if (isOver) returned = undefined;
    }
  }

  /** The same request may come again: it is done once. */
  async function link(provider: string, body: object): Promise<Identity> {
    for (let tried = 1; ; tried++) {
      try {
        const pair = await bearerPair(auth);
        return await call(`auth/identities/${provider}/finish`, "POST", { ...body, ...pair });
      } catch (error) {
        const { status, retryAfterSeconds = tried } = error as AuthError;
        if ((status && status < 500) || tried === maxTries || retryAfterSeconds > maxWaitSeconds) throw error;
        await sleep(retryAfterSeconds);
      }
    }
  }

  return {
    providers: async () => (await call<{ providers: Provider[] }>("auth/external")).providers,
    signInWith: (provider, options) =>
      begin(`auth/external/${provider}`, options, { provider, isLink: false }),
    linkWith: (provider, options) =>
      begin(`auth/identities/${provider}/begin`, options, { provider, isLink: true }),

    finishSignIn(options) {
      pending ??= finishOnce(options).finally(() => {
        pending = undefined;
      });
      return pending;
    },

    async signInWithIdToken(provider, getIdToken, { otp } = {}) {
      if (!otp || native?.provider !== provider) {
        native = undefined;
        const { state, nonce, flow } = await ask(`auth/external/${provider}`, {});
        native = { provider, body: { idToken: await getIdToken(nonce), state, flow } };
      }
      let isOver = true;
      try {
        await auth.open(`auth/external/${provider}/finish`, { ...native.body, otp }, {});
      } catch (error) {
        isOver = !isMendable(error as AuthError);
        throw error;
      } finally {
        if (isOver) native = undefined;
      }
    },

    identities: async () => (await call<{ identities: Identity[] }>("auth/identities")).identities,
    unlink: async (identityId) => call(`auth/identities/${identityId}`, "DELETE", await bearerPair(auth)),
  };
}

const redirectOf = ({ authorizationUrl }: Pick<Begun, "authorizationUrl">) =>
  new URL(authorizationUrl).searchParams.get("redirect_uri") as string;

/** A provider that posts a form (Apple) returns to a route of the API, which leads on to the page. */
const isForm = (redirectUri: string): boolean => /\/auth\/external\/[^/]+\/form$/.test(redirectUri);

/** A sign-in goes on where a code is missing or wrong, or where the API or the provider was away. */
const isMendable = ({ status, code }: AuthError): boolean =>
  /^(network_error|second_factor_required|invalid_otp)$/.test(code) || status === 429 || status >= 500;

const over = () =>
  new AuthError(400, {
    code: "sign_in_over",
    detail: "This sign-in was begun elsewhere, or too long ago. Begin again.",
  });

const cancelled = () =>
  new AuthError(0, { code: "sign_in_cancelled", detail: "The sign-in was cancelled at the provider." });

function refuse(cause: unknown): never {
  if (cause instanceof AuthError) throw cause;
  throw new AuthError(0, { code: "network_error", detail: "No answer." }, undefined, cause);
}
