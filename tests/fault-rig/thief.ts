import { randomUUID } from "node:crypto";
import { cookieOf, type Pair } from "../support/pair.ts";
import type { Browser } from "./browser.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";

/** Somebody who has copied a cookie. */
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

    /** Uses what it has. */
    async act(): Promise<void> {
      for (let sent = 1; own && sent <= 3; sent++) {
        const call = await rig.call({
          route: "refresh",
          by: "thief",
          email: user.email,
          presented: own,
          key,
          isRepeat: sent > 1,
        });
        if (call.status === 503) continue;
        own = call.issued;
        return;
      }
    },
  };
}

/** Presents what looks like a pair and is none: the database must not hear of it. */
export async function forge(
  rig: Rig,
  { user }: Browser,
  pair: Pair,
  other: Pair,
  random: Random,
): Promise<void> {
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
