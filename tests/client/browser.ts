import { readFileSync } from "node:fs";
import { createContext, SourceTextModule } from "node:vm";
import type { AccountClient, MailLink } from "../../client/account.ts";
import type { AuthClient, AuthClientOptions } from "../../client/auth-client.ts";
import type { FactorClient } from "../../client/factors.ts";
import type { SignInClient } from "../../client/sign-in.ts";
import { type ApiResponse, json } from "../../lib/http/response.ts";
import { clock } from "../support/clock.ts";
import { answerHttp } from "../support/gateway.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** What befalls a request of a browser: a response, or undefined when the connection breaks. */
export type NetworkFault = (
  deliver: () => Promise<ApiResponse>,
  request: object,
) => Promise<ApiResponse | undefined>;

/** A page that uses the client; it has globals of its own, as a tab has. */
export interface Tab {
  auth: AuthClient;
  account: AccountClient;
  factors: FactorClient;
  signIn: SignInClient;
  /** What the page has taken off its address bar. */
  link: MailLink | undefined;
  /** Every address of this tab, the oldest first: what "back" leads to, and what the address bar shows. */
  history: string[];
  /** The codes that `onSessionEnd` was called with; "elsewhere" where there was none. */
  ends: string[];
  /** How often `onSessionStart` was called. */
  starts(): number;
  /** Ends the page in the middle of whatever it does. */
  close(): void;
  /** Suspends the page, until what this gives is called: its requests go on, but it reads no answer, and no timer goes off. */
  suspend(): () => void;
}

/** How a page sets its client up, and what its browser does not have. */
export interface TabOptions extends AuthClientOptions {
  /** The path, and the fragment, of the address that was opened. */
  path?: string;
  fragment?: string;
  without?: ("locks" | "localStorage" | "events" | "crypto")[];
}

/** What a browser asked of the API; `at` is epoch seconds, `status` undefined if no response came. */
interface BrowserRequest {
  name: string;
  at: number;
  headers: Record<string, string>;
  key: string | undefined;
  body: string;
  hasCookies: boolean;
  status?: number;
}

/** Pending while the page is suspended. */
type Page = { awake: Promise<void> | undefined };
type Listener = (event: { key: string | null }) => void;

/** The longest that a test waits by itself for a timer. */
const patienceMs = 16_000;
const origin = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const readCode = (name: string) => readFileSync(`.local/test/client/${name}`, "utf8");
const [mainCode, accountCode, factorsCode, signInCode] = [
  ...["auth-client.js", "account.js", "factors.js", "sign-in.js"],
].map(readCode);
const never = new Promise<never>(() => {});

/** The connection breaks before the API has the request. */
export const loseRequest: NetworkFault = async () => undefined;

/** The API does what it was asked, and the connection breaks before the response. */
export const loseAnswer: NetworkFault = (deliver) => deliver().then(() => undefined);

/** The gateway answers something itself. */
export const refuse =
  (
    statusCode: number,
    headers: Record<string, string> = {},
    body: object = { message: "Not now" },
  ): NetworkFault =>
  async () => {
    const answer = json(statusCode, body);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  };

/** A browser: tabs that share cookies, localStorage and Web Locks. Time passes in it when a test says so. */
export type Browser = ReturnType<typeof createBrowser>;

/** What a browser keeps on the disk. */
interface Profile {
  cookies: Map<string, { pair: string; expiresAt: number }>;
  storage: Map<string, string>;
}

/** Makes a browser that has never been at the API, or one that finds such a profile on the disk. */
export function createBrowser(api: Sandbox, profile?: Profile) {
  let sandbox = api;
  const { cookies, storage } = profile ?? { cookies: new Map(), storage: new Map() };
  let keepsCookies = true;
  const tabs = new Map<Page, Listener[]>();
  const timers = new Map<object, { tab: Page; dueMs: number; act: () => void }>();
  const requests: BrowserRequest[] = [];
  const rules: { name: string; left: number; fault: NetworkFault }[] = [];
  const underWay = new Set<object>();
  let landing = Promise.withResolvers<void>();
  let lockTurn: Promise<unknown> = Promise.resolve();
  let skewSeconds = 0;
  let room = Infinity;
  const timeMs = () => (clock.now + skewSeconds) * 1000;

  async function exchange(request: Request): Promise<Response> {
    underWay.add(request);
    const { method, url } = request;
    const { pathname, search } = new URL(url);
    const name = `${method} ${pathname}${search}`;
    const headers = Object.fromEntries(request.headers);
    const hasCookies = request.credentials !== "omit";
    const pairs = [...cookies.values()]
      .filter(({ expiresAt }) => expiresAt > clock.now)
      .map(({ pair }) => pair);
    const key = headers["idempotency-key"];
    const entry: BrowserRequest = { name, at: clock.now, headers, key, body: "", hasCookies };
    requests.push(entry);
    const body = await request.text();
    entry.body = body;
    const sent = { ...headers, origin, "sec-fetch-site": "same-origin" };
    const deliver = () =>
      answerHttp(sandbox, { method, url, headers: sent, cookies: hasCookies ? pairs : [], body });
    const rule = rules.find((each) => each.left > 0 && name.startsWith(each.name));
    if (rule) rule.left--;
    const answer = await (rule ? rule.fault(deliver, request) : deliver());
    if (!answer) throw new TypeError("Failed to fetch");
    entry.status = answer.statusCode;
    for (const line of answer.cookies ?? []) setCookie(line);
    const content = answer.statusCode === 204 ? null : (answer.body ?? null);
    return new Response(content, { status: answer.statusCode, headers: answer.headers });
  }

  function land(request: object): void {
    underWay.delete(request);
    landing.resolve();
    landing = Promise.withResolvers();
  }

  function setCookie(line: string): void {
    if (!keepsCookies) return;
    const [pair = ""] = line.split(";");
    const [name = ""] = pair.split("=");
    const maxAge = Number(/Max-Age=(\d+)/.exec(line)?.[1]);
    if (maxAge === 0) cookies.delete(name);
    else cookies.set(name, { pair, expiresAt: clock.now + maxAge });
  }

  /** Tells other tabs than this one that localStorage was changed; null: cleared. */
  function announce(key: string | null, by?: Page): void {
    for (const [tab, listeners] of tabs)
      for (const listen of tab === by ? [] : listeners)
        queueMicrotask(async () => {
          await tab.awake;
          listen({ key });
        });
  }

  async function openTab({
    without = [],
    path = "/app?lang=en",
    fragment = "",
    ...options
  }: TabOptions = {}): Promise<Tab> {
    const tab: Page = { awake: undefined };
    const history = [origin + path + fragment];
    const listeners: Listener[] = [];
    const ownStorage = new Map<string, string>();
    const closed = Promise.withResolvers<void>();
    /** A page that is closed learns nothing any more. */
    const whileOpen = <T>(result: Promise<T>) => result.finally(() => (tabs.has(tab) ? tab.awake : never));
    const addTimer = (key: object, act: () => void, ms: number) => {
      timers.set(key, { tab, act, dueMs: clock.now * 1000 + ms });
      return key;
    };
    const fetchInTab: typeof fetch = (input, { signal, ...init } = {}) => {
      const request = new Request(input, init);
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
      return whileOpen(Promise.race([exchange(request), aborted]).finally(() => land(request)));
    };
    const setItem = (name: string, text: string) => {
      if (text.length > room) throw new DOMException("full", "QuotaExceededError");
      storage.set(name, text);
      announce(name, tab);
    };
    const removeItem = (name: string) => {
      storage.delete(name);
      announce(name, tab);
    };
    const request = (_name: string, { signal }: RequestInit, run: () => Promise<unknown>) => {
      const before = lockTurn;
      const givenUp = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      const turn = Promise.race([before.then(() => true), givenUp.then(() => false)]);
      const result = turn.then((isMine) => {
        if (!isMine) throw signal?.reason;
        return tabs.has(tab) ? run() : never;
      });
      // A tab that is closed gives its turn away, but not before it has come.
      lockTurn = before.then(() => Promise.race([result, closed.promise])).catch(() => {});
      return whileOpen(result);
    };
    const globals = {
      ...{ Request, Response, Headers, URL, URLSearchParams, AbortController, btoa, queueMicrotask },
      fetch: fetchInTab,
      // What a page over plain http has.
      ...(!without.includes("crypto") && {
        crypto: { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) },
      }),
      Date: { now: timeMs },
      location: new URL(history[0] as string),
      history: {
        state: null,
        replaceState(_state: null, _title: string, path: string) {
          globals.location.href = origin + path;
          history.splice(-1, 1, origin + path);
        },
      },
      navigator: without.includes("locks") ? {} : { locks: { request } },
      ...(!without.includes("localStorage") && {
        localStorage: { getItem: (name: string) => storage.get(name) ?? null, setItem, removeItem },
        sessionStorage: {
          getItem: (name: string) => ownStorage.get(name) ?? null,
          setItem: (name: string, text: string) => void ownStorage.set(name, text),
        },
      }),
      addEventListener: (_type: string, listen: Listener) =>
        without.includes("events") || listeners.push(listen),
      setTimeout: (act: () => void, ms: number) => addTimer({}, act, ms),
      clearTimeout: (timer: object) => timers.delete(timer),
    };
    const context = createContext(globals);
    const main = new SourceTextModule(mainCode as string, { context });
    /** Evaluates another entry point, beside the first. */
    async function load<T>(code = ""): Promise<T> {
      const entry = new SourceTextModule(code, { context });
      await entry.link((name) => {
        if (name !== "./auth-client.js") throw new Error(`the client imports ${name}`);
        return main;
      });
      await entry.evaluate();
      return entry.namespace as T;
    }
    const { takeMailLink, createAccountClient } =
      await load<typeof import("../../client/account.ts")>(accountCode);
    const { createFactorClient } = await load<typeof import("../../client/factors.ts")>(factorsCode);
    const { createSignInClient } = await load<typeof import("../../client/sign-in.ts")>(signInCode);
    tabs.set(tab, listeners);
    const ends: Tab["ends"] = [];
    const link = takeMailLink();
    const { createAuthClient } = main.namespace as typeof import("../../client/auth-client.ts");
    let starts = 0;
    const told: Pick<AuthClientOptions, "onSessionEnd" | "onSessionStart"> = {
      onSessionEnd: (error) => ends.push(error?.code ?? "elsewhere"),
      onSessionStart: () => void starts++,
    };
    const close = () => {
      tabs.delete(tab);
      closed.resolve();
    };
    const suspend = () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      tab.awake = promise;
      return () => {
        tab.awake = undefined;
        resolve();
      };
    };
    const auth = createAuthClient({ ...told, ...options });
    const account = createAccountClient(auth);
    const factors = createFactorClient(auth);
    const signIn = createSignInClient(auth);
    return { auth, account, factors, signIn, link, history, ends, starts: () => starts, close, suspend };
  }

  /** Waits until nothing is under way and nobody has anything left to do but wait. */
  async function idle(): Promise<void> {
    for (let quiet = 0; quiet < 10; quiet++) {
      for (; underWay.size > 0; quiet = 0) await landing.promise;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Fires the next timer if it is due by then; tells whether there was one. */
  function fireNext(untilMs: number): boolean {
    const [next] = [...timers]
      .filter(([, { tab }]) => tabs.has(tab) && !tab.awake)
      .sort(([, a], [, b]) => a.dueMs - b.dueMs);
    if (!next || next[1].dueMs > untilMs) return false;
    const [key, { dueMs, act }] = next;
    timers.delete(key);
    clock.advance(Math.max(0, Math.ceil(dueMs / 1000) - clock.now));
    act();
    return true;
  }

  return {
    openTab,
    idle,
    /** What was asked of the API, in order. */
    requests: requests as readonly BrowserRequest[],
    /** What the device's clock shows, in epoch milliseconds. */
    timeMs,
    /** Puts a cookie back, as a Set-Cookie line. */
    setCookie,

    /** What was asked, in short: `POST /auth/refresh 200`. */
    get names(): string[] {
      return requests.map(({ name, status }) => `${name} ${status ?? "lost"}`);
    },

    /** Forgets what was asked so far. */
    forget: () => void requests.splice(0),
    /** Lets a fault befall the next requests whose name starts so. */
    break: (name: string, fault: NetworkFault, { times = 1 } = {}) =>
      rules.push({ name, left: times, fault }),

    /** Holds back the response to the next request whose name starts so. */
    hold(name: string) {
      const arrival = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const fault: NetworkFault = async (deliver, request) => {
        const answer = await deliver();
        land(request);
        arrival.resolve();
        await gate.promise;
        underWay.add(request);
        return answer;
      };
      rules.push({ name, left: 1, fault });
      return { arrived: arrival.promise, release: gate.resolve };
    },

    /** Ends every fault. */
    mend: () => void rules.splice(0),

    /** The `name=value` of the auth cookie: whoever has it can be this browser. */
    get cookie(): string | undefined {
      return cookies.get("auth-cookie")?.pair;
    },

    /** From here on no cookie is kept or deleted: of a third party, or without https. */
    blockCookies(): void {
      keepsCookies = false;
    },

    /** A copy of what the browser keeps: for a thief, or for the browser itself after it was killed. */
    profile: (): Profile => ({ cookies: new Map(cookies), storage: new Map(storage) }),

    /** A tab that is suspended holds the Web Lock, until the test's end. */
    holdLock(): void {
      lockTurn = never;
    },

    /** What localStorage holds, parsed. */
    get stored() {
      return [...storage.values()].map((text) => JSON.parse(text));
    },

    /** From here on localStorage takes no longer text than that. */
    limitStorage(characters: number): void {
      room = characters;
    },

    /** The user has site data deleted: localStorage, and the cookies too if told so. */
    clear({ cookies: all }: { cookies: boolean }): void {
      storage.clear();
      if (all) cookies.clear();
      announce(null);
    },

    /** Something else writes over what localStorage holds. */
    spoil(text: string): void {
      for (const name of storage.keys()) storage.set(name, text);
    },

    /** The API is deployed anew. */
    moveTo(other: Sandbox): void {
      sandbox = other;
    },
    /** The device's clock is set; timers do not notice. */
    setClock(skew: number): void {
      skewSeconds = skew;
    },

    /** Time passes, and timers go off. */
    async wait(seconds: number): Promise<void> {
      const end = clock.now + seconds;
      await idle();
      while (fireNext(end * 1000)) await idle();
      clock.advance(Math.max(0, end - clock.now));
    },

    /** Waits for a promise, and for the short pauses that the client makes meanwhile. */
    async patiently<T>(promise: Promise<T>): Promise<T> {
      let isDone = false;
      const done = () => {
        isDone = true;
      };
      promise.then(done, done);
      for (;;) {
        await idle();
        if (isDone) return promise;
        if (!fireNext(clock.now * 1000 + patienceMs)) throw new Error("it waits for nothing");
      }
    },
  };
}
