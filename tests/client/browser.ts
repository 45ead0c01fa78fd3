import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createContext, SourceTextModule } from "node:vm";
import { locks } from "node:worker_threads";
import type { AuthClient, AuthClientOptions } from "../../client/auth-client.ts";
import { type ApiResponse, json } from "../../lib/http/response.ts";
import { clock } from "../support/clock.ts";
import { answerHttp } from "../support/gateway.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** What befalls a request of a browser: an answer, or undefined when the connection breaks. */
export type NetworkFault = (deliver: () => Promise<ApiResponse>) => Promise<ApiResponse | undefined>;

/** A page that uses the client; it has globals of its own, as a tab has. */
export interface Tab {
  auth: AuthClient;
  /** The codes that `onSessionEnd` was called with; "elsewhere" where there was none. */
  ends: string[];
  /** Ends the page in the middle of whatever it does. */
  close(): void;
}

/** How a page sets its client up, and in what browser. */
export interface TabOptions extends AuthClientOptions {
  /** What this browser does not have. */
  without?: ("locks" | "localStorage")[];
}

/** What a browser asked of the API. */
interface BrowserRequest {
  name: string;
  /** When it was sent, in epoch seconds. */
  at: number;
  /** Its Idempotency-Key. */
  key: string | undefined;
  /** How it was answered; undefined if it was not. */
  status: number | undefined;
}

interface Timer {
  dueMs: number;
  act: () => void;
}

/** The longest that a test waits by itself for a timer. */
const patienceMs = 16_000;
/** A request that takes longer hangs, even on a busy machine. */
const maxTicks = 500_000;
const origin = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const code = readFileSync(".local/test/client/auth-client.js", "utf8");
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The connection breaks before the API has the request. */
export const loseRequest: NetworkFault = async () => undefined;

/** The API does what it was asked, and the connection breaks before the answer. */
export const loseAnswer: NetworkFault = async (deliver) => {
  await deliver();
  return undefined;
};

/** The gateway answers something itself. */
export function refuse(statusCode: number, headers: Record<string, string> = {}): NetworkFault {
  return async () => {
    const answer = json(statusCode, { message: "Not now" });
    return { ...answer, headers: { ...answer.headers, ...headers } };
  };
}

/** A browser: tabs that share cookies, localStorage and Web Locks. Time passes in it when a test says so. */
export type Browser = ReturnType<typeof createBrowser>;

/** Makes a browser that has never been at the API. */
export function createBrowser(api: Sandbox) {
  let sandbox = api;
  const id = randomUUID();
  const cookies = new Map<string, { pair: string; expiresAt: number }>();
  const storage = new Map<string, string>();
  const tabs = new Set<{ timers: Map<object, Timer>; listeners: ((event: { key: string }) => void)[] }>();
  const requests: BrowserRequest[] = [];
  let rules: { name: string; left: number; fault: NetworkFault }[] = [];
  let underWay = 0;
  let skewSeconds = 0;
  const timeMs = () => (clock.now + skewSeconds) * 1000;

  async function exchange(request: Request): Promise<Response> {
    const { method, url } = request;
    const { pathname, search } = new URL(url);
    const entry: BrowserRequest = {
      name: `${method} ${pathname}${search}`,
      at: clock.now,
      key: request.headers.get("idempotency-key") ?? undefined,
      status: undefined,
    };
    requests.push(entry);
    const live = [...cookies.values()].filter(({ expiresAt }) => expiresAt > clock.now);
    const body = await request.text();
    const deliver = () =>
      answerHttp(sandbox, {
        method,
        url,
        headers: { ...Object.fromEntries(request.headers), origin, "sec-fetch-site": "same-origin" },
        cookies: request.credentials === "omit" ? [] : live.map(({ pair }) => pair),
        body,
      });
    const rule = rules.find(({ name, left }) => left > 0 && entry.name.startsWith(name));
    if (rule) rule.left--;
    const answer = await (rule ? rule.fault(deliver) : deliver());
    if (!answer) throw new TypeError("Failed to fetch");
    entry.status = answer.statusCode;
    for (const line of answer.cookies ?? []) setCookie(line);
    const bodyInit = answer.statusCode === 204 ? null : (answer.body ?? null);
    return new Response(bodyInit, { status: answer.statusCode, headers: answer.headers });
  }

  function setCookie(line: string): void {
    const [pair = ""] = line.split(";");
    const [name = ""] = pair.split("=");
    const maxAge = Number(/Max-Age=(\d+)/.exec(line)?.[1]);
    if (maxAge === 0) cookies.delete(name);
    else cookies.set(name, { pair, expiresAt: clock.now + maxAge });
  }

  async function openTab({ without = [], ...options }: TabOptions = {}): Promise<Tab> {
    const tab = { timers: new Map<object, Timer>(), listeners: [] as ((event: { key: string }) => void)[] };
    const closed = Promise.withResolvers<void>();
    let isClosed = false;
    const never = new Promise<never>(() => {});
    const fetchInTab: typeof fetch = async (input, init) => {
      underWay++;
      try {
        return await exchange(new Request(input, init));
      } finally {
        underWay--;
        if (isClosed) await never;
      }
    };
    const localStorage = {
      getItem: (name: string) => storage.get(name) ?? null,
      setItem(name: string, text: string) {
        storage.set(name, text);
        const others = [...tabs].filter((other) => other !== tab);
        for (const { listeners } of others)
          for (const listen of listeners) queueMicrotask(() => listen({ key: name }));
      },
    };
    const request = async (name: string, run: () => Promise<unknown>) => {
      try {
        return await locks.request(`${id} ${name}`, () => Promise.race([run(), closed.promise]));
      } finally {
        if (isClosed) await never;
      }
    };
    const globals = {
      ...{ Request, Response, Headers, URL, AbortSignal, queueMicrotask },
      crypto: globalThis.crypto,
      Date: { now: timeMs },
      location: { href: `${origin}/` },
      fetch: fetchInTab,
      navigator: without.includes("locks") ? {} : { locks: { request } },
      ...(!without.includes("localStorage") && { localStorage }),
      addEventListener: (_type: string, listen: (event: { key: string }) => void) =>
        tab.listeners.push(listen),
      setTimeout(act: () => void, ms: number) {
        const timer = {};
        tab.timers.set(timer, { act, dueMs: clock.now * 1000 + ms });
        return timer;
      },
      clearTimeout: (timer: object) => tab.timers.delete(timer),
    };
    const module = new SourceTextModule(code, { context: createContext(globals) });
    await module.link(() => {
      throw new Error("the client imports nothing");
    });
    await module.evaluate();
    tabs.add(tab);
    const ends: Tab["ends"] = [];
    const { createAuthClient } = module.namespace as typeof import("../../client/auth-client.ts");
    return {
      auth: createAuthClient({ onSessionEnd: (error) => ends.push(error?.code ?? "elsewhere"), ...options }),
      ends,
      close() {
        isClosed = true;
        tabs.delete(tab);
        closed.resolve();
      },
    };
  }

  /** Waits until nothing is under way and nobody has anything left to do but wait. */
  async function idle(): Promise<void> {
    for (let quiet = 0, ticks = 0; quiet < 10; quiet = underWay > 0 ? 0 : quiet + 1) {
      if (++ticks > maxTicks) throw new Error(`still under way: ${JSON.stringify(requests.at(-1))}`);
      await tick();
    }
  }

  /** Fires the next timer if it is due by then; tells whether there was one. */
  function fireNext(untilMs: number): boolean {
    const all = [...tabs].flatMap(({ timers }) =>
      [...timers].map(([key, timer]) => ({ timers, key, ...timer })),
    );
    const [next] = all.toSorted((a, b) => a.dueMs - b.dueMs);
    if (!next || next.dueMs > untilMs) return false;
    next.timers.delete(next.key);
    clock.advance(Math.max(0, Math.ceil(next.dueMs / 1000) - clock.now));
    next.act();
    return true;
  }

  return {
    openTab,
    idle,

    /** What was asked of the API, in order. */
    get requests(): readonly BrowserRequest[] {
      return requests;
    },

    /** The same in short: `POST /auth/refresh 200`. */
    get names(): string[] {
      return requests.map(({ name, status }) => `${name} ${status ?? "lost"}`);
    },

    /** Forgets what was asked so far. */
    forget(): void {
      requests.length = 0;
    },

    /** Lets a fault befall the next requests whose name starts so. */
    break(name: string, fault: NetworkFault, { times = 1 } = {}): void {
      rules.push({ name, left: times, fault });
    },

    /** Holds back the answer of the next request whose name starts so. */
    hold(name: string) {
      const arrival = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const fault: NetworkFault = async (deliver) => {
        const answer = await deliver();
        underWay--;
        arrival.resolve();
        await gate.promise;
        underWay++;
        return answer;
      };
      rules.push({ name, left: 1, fault });
      return { arrived: arrival.promise, release: gate.resolve };
    },

    /** Takes back every fault. */
    mend(): void {
      rules = [];
    },

    /** The `name=value` of the auth cookie: whoever has it can be this browser. */
    get cookie(): string | undefined {
      return cookies.get("auth-cookie")?.pair;
    },

    /** Something else writes over what localStorage holds. */
    spoil(text: string): void {
      for (const name of storage.keys()) storage.set(name, text);
    },

    /** The API is deployed anew. */
    moveTo(api: Sandbox): void {
      sandbox = api;
    },

    /** What the device's clock shows, in epoch milliseconds. */
    timeMs,

    /** The device's clock is set; timers do not notice. */
    setClock(skew: number): void {
      skewSeconds = skew;
    },

    /** Another copy of a cookie comes back. */
    setCookie,

    /** The user deletes all cookies. */
    clearCookies(): void {
      cookies.clear();
    },

    /** What localStorage holds, parsed. */
    get stored() {
      return [...storage.values()].map((text) => JSON.parse(text));
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
