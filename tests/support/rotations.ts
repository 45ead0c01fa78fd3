import { expect } from "@jest/globals";
import { expectCookie, refusals } from "./answer.ts";
import { clock } from "./clock.ts";
import { log } from "./log.ts";
import { type Pair, pairOf } from "./pair.ts";
import type { Service } from "./service.ts";

/** An Idempotency-Key as clients make one, and another. */
export const key = "6b1f7f9e-0a52-4d2e-8f0c-9f1f4f0e6a01";
export const otherKey = "ffffffff-0a52-4d2e-8f0c-9f1f4f0e6a02";

export const update = "UpdateItem sessions";
export const remove = "DeleteItem sessions";

/** What tests of rotations do with a session and its pairs. */
export function createRotations(service: Service) {
  const lineOf = (pair: Pair, key?: string) => service.refresh(pair, { key }).then(expectCookie);

  return {
    lineOf,

    /** A session that has been rotated once, just now, a while after its login. */
    async rotated(keys: { login?: string | undefined; refresh?: string | undefined } = {}) {
      const first = await service.logIn({ key: keys.login });
      clock.advance(100);
      const response = await service.refresh(first, { key: keys.refresh });
      return { first, second: pairOf(response), line: expectCookie(response) };
    },

    /** Asserts that a pair can be rotated once the minimum interval is over. */
    async expectGoesOn(pair: Pair, options?: Parameters<Service["rotate"]>[1]): Promise<void> {
      clock.advance(30);
      expect((await service.rotate(pair, options)).claims.iat).toBe(clock.now);
    },

    /** Asserts that a pair is refused as a replay: its session is gone, for both sides. */
    async expectReplay(pair: Pair, current: Pair, key?: string): Promise<void> {
      log.clear();
      const refresh = (presented: Pair) => () => service.refresh(presented, { key });
      await service.expectRefusal(refresh(pair), refusals.tokenExpired, [update, remove]);
      expect(log.events()).toEqual(["authn_token_reuse"]);
      for (const spent of [current, pair]) {
        await service.expectRefusal(refresh(spent), refusals.tokenExpired, [update]);
        expect(await service.findSession(spent)).toBeUndefined();
      }
    },

    /** Asserts that a pair is answered with this very cookie and that nothing is written. */
    async expectSameAnswer(pair: Pair, line: string, key?: string): Promise<void> {
      const before = await service.findSession(pair);
      expect(await service.expectRequests([update], () => lineOf(pair, key))).toBe(line);
      expect(await service.findSession(pair)).toEqual(before);
    },
  };
}
