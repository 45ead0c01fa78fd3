import { randomUUID } from "node:crypto";
import { stepSeconds } from "../../lib/factors/second-factor.ts";
import { createMailId } from "../../lib/mail/codes.ts";
import type { Authenticator } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { wrongCode } from "../support/mailed-code.ts";
import { cookieOf, type Pair } from "../support/pair.ts";
import type { createPasskey } from "../support/passkey.ts";
import type { Random } from "./random.ts";
import type { Asked, Call, Rig } from "./rig.ts";

const ada = { kind: "reset", email: "ada@example.com" } as const;

/** A user, and the passwords and addresses that may be the current one, the likeliest first: an answer can be lost. */
export interface RigUser {
  /** The address when the run began. */
  email: string;
  userId: string;
  /** Of every third user: what an account with a second factor is opened by, too. */
  app?: Authenticator;
  /** Of every third one beside those: opens the account, too, or alone. */
  passkey?: ReturnType<typeof createPasskey>;
  passwords: string[];
  addresses: string[];
}

/** A code that was asked for, and where it goes. */
interface AskedCode {
  kind: "reset" | "email";
  address: string;
  challenge: string;
  code: string;
}

export type Browser = ReturnType<typeof createBrowser>;
type Request = Omit<Asked, "by" | "email">;

/** A request that met 503, or no answer, is sent six times in all. */
const maxSent = 6;
/** An older pair than the last four nobody keeps. */
const maxPast = 4;

/** Makes a browser of a user; with keys, it sends them at login and refresh, and where else they are asked for. */
export function createBrowser(
  rig: Rig,
  user: RigUser,
  { random, ...keys }: { key?: string; sessionKey?: string; random: Random },
) {
  let pair: Pair | undefined;
  let device: string | undefined;
  let past: Pair[] = [];
  const spent: { challenge: string; code: string }[] = [];
  let awaited: AskedCode[] = [];
  const known = () => (device === undefined ? [] : [device]);

  /** Sends until there is an answer that is more than a 503; undefined if there is none, or no pair any more. */
  async function send(create: () => Request | undefined): Promise<Call | undefined> {
    for (let sent = 1; sent <= maxSent; sent++) {
      const asked = create();
      if (!asked) return undefined;
      const call = await rig.call({
        ...keys,
        ...asked,
        by: "browser",
        email: user.email,
        isRepeat: sent > 1,
      });
      if (call.isHeard && call.status !== 503) return call;
    }
    return undefined;
  }

  function keep(issued: Pair): void {
    if (pair && pair.refreshToken !== issued.refreshToken) past = [pair, ...past].slice(0, maxPast);
    pair = issued;
  }

  /** Goes on in the session that was opened. */
  function begin(call: Call | undefined): void {
    if (!call?.issued) return;
    past = [];
    pair = call.issued;
    device = call.device;
  }

  async function renew(): Promise<boolean> {
    const call = await send(() => pair && { route: "refresh", presented: pair });
    if (call?.issued) keep(call.issued);
    // Another tab may have logged in meanwhile.
    else if (call && pair === call.presented) pair = undefined;
    return call?.issued !== undefined;
  }

  /** Asks with the pair, and if its JWT has expired renews the session first. */
  async function ask(create: (pair: Pair) => Request): Promise<Call | undefined> {
    const isFresh = pair && pair.claims.exp > clock.now + rig.spreadSeconds;
    if (!isFresh && !(await renew())) return undefined;
    const call = await send(() => pair && create(pair));
    if (call?.status === 401 && call.code === "invalid_token") await renew();
    return call;
  }

  /** A code of the user's app, or now and then one from paper: the part of a body, and what it proves. */
  function takeOtp(): { otp?: string; proof?: string } {
    if (!user.app) return {};
    const { codeAt, recoveryCodes } = user.app;
    if (random.isTrue(0.1)) {
      const place = random.below(recoveryCodes.length);
      return { otp: recoveryCodes[place] ?? "", proof: `paper ${place}` };
    }
    const step = Math.floor(clock.now / stepSeconds);
    return { otp: codeAt(), proof: `step ${step}` };
  }

  /** An answer of the user's passkey to a new challenge: the part of a body, and what it proves; undefined if none came. */
  async function answerChallenge(): Promise<{ body: object; proof: string } | undefined> {
    const call = await send(() => ({ route: "beginPasskeyLogin" }));
    const challenge = call?.passkeyChallenge;
    if (!user.passkey || challenge === undefined) return undefined;
    return { body: { passkey: user.passkey.get(challenge) }, proof: `passkey ${challenge}` };
  }

  /** What proves the user: the passkey, or the password with a code, if there is one; of an account without either nothing. */
  async function prove(field: "password" | "currentPassword"): Promise<{ body: object; proof?: string }> {
    const [password] = user.passwords;
    const isByPasskey = user.passkey && (password === undefined || random.isTrue(0.5));
    const answer = isByPasskey && (await answerChallenge());
    if (answer) return answer;
    const { proof, ...otp } = takeOtp();
    return {
      body: { ...(password !== undefined && { [field]: password }), ...otp },
      ...(proof && { proof }),
    };
  }

  /** Which password a body has is the last to be tried, if it was refused. */
  function doubt(call: Call | undefined, body: object): void {
    const { password, currentPassword = password } = body as Record<string, string>;
    if (call?.code !== "invalid_credentials" || currentPassword === undefined) return;
    prefer(user.passwords, currentPassword, "last");
  }

  /** A code that was put past the mail. */
  const mailCode = () => rig.mailCode("reset", { email: user.addresses[0] ?? "", userId: user.userId });

  function expectCode(kind: AskedCode["kind"], address: string, call: Call | undefined): void {
    const { challenge, mailedCode: code } = call ?? {};
    if (challenge !== undefined && code !== undefined) awaited.push({ kind, address, challenge, code });
  }

  async function reset({ challenge, code }: { challenge: string; code: string }): Promise<void> {
    const newPassword = `correct horse ${random.below(1e9)} mailed ${random.below(1e9)}`;
    user.passwords.push(newPassword);
    const body = { challenge, code, newPassword };
    const call = await send(() => ({ route: "resetPassword", body }));
    if (call?.status === 200) prefer(user.passwords, newPassword, "first");
    // Where nobody knows, and where it was done, the code is tried once more, with another password.
    if (call?.status !== 400) spent.push({ challenge, code });
    if (call?.code === "code_expired") prefer(user.passwords, newPassword, "last");
  }

  async function confirmEmail(address: string, body: { challenge: string; code: string }): Promise<void> {
    user.addresses.push(address);
    const route = "confirmEmailChange";
    const call = await ask((presented) => ({ route, presented, body, address, cookies: known() }));
    begin(call);
    if (call?.status === 200) prefer(user.addresses, address, "first");
  }

  /** Back to the address before: no session is needed, and none is left. */
  async function undo(token: string): Promise<void> {
    const newPassword = `correct horse ${random.below(1e9)} undone ${random.below(1e9)}`;
    user.passwords.push(newPassword);
    const body = { token, newPassword };
    const call = await send(() => ({ route: "undoEmailChange", body, address: user.email }));
    if (call?.code === "code_expired") prefer(user.passwords, newPassword, "last");
    if (call?.status !== 200) return;
    prefer(user.passwords, newPassword, "first");
    prefer(user.addresses, user.email, "first");
  }

  return {
    ...{ user, renew },
    get pair(): Pair | undefined {
      return pair;
    },
    get past(): readonly Pair[] {
      return past;
    },

    async login(): Promise<void> {
      const [email = ""] = user.addresses;
      const { body: own, proof } = await prove("password");
      const body = "passkey" in own ? own : { email, ...own };
      const call = await send(() => ({ route: "login", body, proof, cookies: known() }));
      begin(call);
      if (call?.code !== "invalid_credentials") return;
      doubt(call, body);
      if (random.isTrue(0.5)) prefer(user.addresses, email, "last");
    },

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
      const call = await ask((presented) => ({
        route: "revokeAllSessions",
        presented,
        keepsOwn,
        cookies: known(),
      }));
      if (call?.device) device = call.device;
    },

    async changePassword(): Promise<void> {
      const newPassword = `correct horse ${random.below(1e9)} battery ${random.below(1e9)}`;
      const { body: own, proof } = await prove("currentPassword");
      user.passwords.push(newPassword);
      const body = { newPassword, ...own };
      const route = "changePassword";
      const call = await ask((presented) => ({ route, presented, body, proof, cookies: known() }));
      begin(call);
      if (call?.status === 200) prefer(user.passwords, newPassword, "first");
      doubt(call, body);
    },

    /** With a code that came by mail: no session is needed, and none is left. */
    async resetPassword(): Promise<void> {
      const isSpent = spent.length > 0 && random.isTrue(0.3);
      await reset((isSpent && spent.pop()) || (await mailCode()));
    },

    async forgotPassword(): Promise<void> {
      const [address = ""] = user.addresses;
      const call = await send(() => ({ route: "forgotPassword", body: { email: address } }));
      expectCode("reset", address, call);
    },

    /** Asks for a code at another address. */
    async changeEmail(): Promise<void> {
      const newEmail = `${random.below(1e9)}.${user.email}`;
      const { body: own, proof } = await prove("password");
      const body = { newEmail, ...own };
      const route = "askEmailChange";
      const call = await ask((presented) => ({ route, presented, body, proof, cookies: known() }));
      expectCode("email", newEmail, call);
      doubt(call, body);
    },

    /** Somebody tries wrong codes, all at once; then the right one comes. */
    async guess(): Promise<void> {
      const { challenge, code } = await mailCode();
      const newPassword = `correct horse ${random.below(1e9)} guessed ${random.below(1e9)}`;
      const body = { challenge, code: wrongCode(code), newPassword };
      const guess = () => rig.call({ route: "resetPassword", by: "thief", email: user.email, body });
      await Promise.all(Array.from({ length: 7 }, guess));
      await reset({ challenge, code });
    },

    /** Does what mails that have come are for. */
    async readMails(): Promise<void> {
      const come = awaited.filter(({ address, code }) => rig.hasCome(address, code));
      awaited = awaited.filter((code) => !come.includes(code));
      for (const { kind, address, challenge, code } of come)
        await (kind === "reset" ? reset({ challenge, code }) : confirmEmail(address, { challenge, code }));
      const token = rig.findToken(user.email);
      if (token !== undefined && random.isTrue(0.2)) await undo(token);
    },
  };
}

/** Puts a password or an address before or behind the others; more than a few are never in question. */
function prefer(all: string[], one: string, where: "first" | "last"): void {
  const others = all.filter((other) => other !== one);
  all.splice(0, all.length, ...(where === "first" ? [one, ...others] : [...others, one]).slice(0, 6));
}

export type Thief = ReturnType<typeof createThief>;

/** Makes a thief of a pair, the current or an older one, of a browser that has one. */
export function createThief(rig: Rig, { user, pair, past }: Browser, random: Random) {
  const key = random.isTrue(0.5) ? `thief-${randomUUID()}` : undefined;
  let own: Pair | undefined = past.length > 0 && random.isTrue(0.3) ? random.pick(past) : pair;
  const session = own && rig.sessions.get(own.key.sessionId);
  if (session) session.stolenAt ??= rig.tick();

  return {
    get isDone(): boolean {
      return own === undefined;
    },

    async act(): Promise<void> {
      const asked = { route: "refresh", by: "thief", email: user.email, key } as const;
      for (let sent = 1; own && sent <= 3; sent++) {
        const call = await rig.call({ ...asked, presented: own, isRepeat: sent > 1 });
        if (call.status === 503) continue;
        own = call.issued;
        return;
      }
    },
  };
}

/** Presents what looks like a pair, or the challenge of a code or a passkey, and is none: the database must not hear of it. */
export async function forge(rig: Rig, { user, pair }: Browser, other: Pair | undefined, random: Random) {
  if (user.passkey && random.isTrue(0.2)) {
    const body = { passkey: user.passkey.get(Buffer.from(randomUUID().slice(0, 32)).toString("base64url")) };
    await rig.call({ route: "login", by: "forger", email: user.email, body });
    return;
  }
  if (random.isTrue(0.2)) {
    const challenge = `${createMailId(ada)}.${createMailId(ada)}`;
    const newPassword = "the password of a forger";
    const asked = random.pick([
      { route: "resetPassword", body: { challenge, code: "K4MXQ2T9W", newPassword } },
      { route: "undoEmailChange", body: { token: challenge, newPassword } },
    ] as const);
    await rig.call({ ...asked, by: "forger", email: user.email });
    return;
  }
  if (!pair || !other || other.key.sessionId === pair.key.sessionId) return;
  const { token, refreshToken } = pair;
  const [header, claims, signature = ""] = token.split(".");
  const changed = signature.slice(0, 20) + (signature[20] === "A" ? "B" : "A") + signature.slice(21);
  const fake = random.pick([
    { token: `${header}.${claims}.${changed}`, refreshToken },
    { token: `${header}.${other.token.split(".")[1]}.${signature}`, refreshToken },
    { token, refreshToken: other.refreshToken },
    { token: other.token, refreshToken },
    { token, refreshToken: Buffer.from(randomUUID().slice(0, 32)).toString("base64url") },
  ]);
  const presented = { ...pair, ...fake, cookies: [cookieOf(fake)] };
  await rig.call({ route: "refresh", by: "forger", email: user.email, presented });
}
