import { clock } from "../support/clock.ts";
import type { Pair } from "../support/pair.ts";
import type { Random } from "./random.ts";
import type { Asked, Call, Rig } from "./rig.ts";

/** A user, and the passwords that may be the current one, the likeliest first: an answer can be lost. */
export interface RigUser {
  email: string;
  userId: string;
  passwords: string[];
}

/** A browser with its cookies, which behaves as our client does. */
export type Browser = ReturnType<typeof createBrowser>;

/** A request that met 503, or no answer, is sent again so often in all. */
const maxSent = 6;
/** An older pair than these nobody keeps. */
const maxPast = 4;

/** Makes a browser of a user; with a key, it sends it at login and refresh. */
export function createBrowser(rig: Rig, user: RigUser, { key, random }: { key?: string; random: Random }) {
  let pair: Pair | undefined;
  let device: string | undefined;
  let past: Pair[] = [];

  /** Sends until there is an answer that is more than a 503; undefined if there is none, or no pair any more. */
  async function send(create: () => Omit<Asked, "by" | "email"> | undefined): Promise<Call | undefined> {
    for (let sent = 1; sent <= maxSent; sent++) {
      const asked = create();
      if (!asked) return undefined;
      const call = await rig.call({ ...asked, by: "browser", email: user.email, isRepeat: sent > 1 });
      if (call.isHeard && call.status !== 503) return call;
    }
    return undefined;
  }

  function keep(issued: Pair): void {
    if (pair && pair.refreshToken !== issued.refreshToken) past = [pair, ...past].slice(0, maxPast);
    pair = issued;
  }

  /** One tab that renews the session. */
  async function renew(): Promise<boolean> {
    const call = await send(() => pair && { route: "refresh", presented: pair, key });
    if (call?.issued) keep(call.issued);
    // Another tab may have logged in meanwhile.
    else if (call && pair === call.presented) pair = undefined;
    return call?.issued !== undefined;
  }

  /** Asks with the pair, and if its JWT has expired renews the session first. */
  async function ask(create: (pair: Pair) => Omit<Asked, "by" | "email">): Promise<Call | undefined> {
    const isFresh = pair && pair.claims.exp > clock.now + rig.spreadSeconds;
    if (!isFresh && !(await renew())) return undefined;
    const call = await send(() => pair && create(pair));
    if (call?.status === 401 && call.code === "invalid_token") await renew();
    return call;
  }

  const operations = {
    async login(): Promise<void> {
      const [password = ""] = user.passwords;
      const cookies = device === undefined ? [] : [device];
      const body = { email: user.email, password };
      const call = await send(() => ({ route: "login", key, body, cookies }));
      if (call?.issued) {
        past = [];
        pair = call.issued;
        device = call.device;
      }
      if (call?.code === "invalid_credentials") prefer(user, password, "last");
    },

    /** One to three tabs at once. */
    async refresh(): Promise<void> {
      const tabs = random.pick([1, 1, 1, 2, 3]);
      await Promise.all(Array.from({ length: tabs }, renew));
    },

    /** A route that asks for a live session; a body that it refuses only after that. */
    async live(): Promise<void> {
      await ask((presented) => ({ route: "changePassword", presented, body: {} }));
    },

    async movies(): Promise<void> {
      await ask((presented) => ({ route: "movies", presented }));
    },

    async logout(): Promise<void> {
      const call = await send(() => pair && { route: "logout", presented: pair });
      if (call?.isCleared) pair = undefined;
    },

    async endAll(): Promise<void> {
      const keepsOwn = random.isTrue(0.3);
      await ask((presented) => ({ route: "revokeAllSessions", presented, keepsOwn }));
    },

    async changePassword(): Promise<void> {
      const [currentPassword = ""] = user.passwords;
      const newPassword = `correct horse ${random.next()} battery ${random.next()}`;
      user.passwords.push(newPassword);
      const body = { currentPassword, newPassword };
      const cookies = device === undefined ? [] : [device];
      const call = await ask((presented) => ({ route: "changePassword", presented, body, cookies }));
      if (call?.status === 200) prefer(user, newPassword, "first");
      if (call?.code === "invalid_credentials") prefer(user, currentPassword, "last");
    },
  };

  return {
    user,
    key,
    ...operations,
    get pair(): Pair | undefined {
      return pair;
    },
    /** The pairs before it, the latest first. */
    get past(): readonly Pair[] {
      return past;
    },
    renew,
  };
}

/** Puts a password before or behind the others; more than a few are never in question. */
function prefer(user: RigUser, password: string, where: "first" | "last"): void {
  const others = user.passwords.filter((other) => other !== password);
  user.passwords = (where === "first" ? [password, ...others] : [...others, password]).slice(0, 6);
}
