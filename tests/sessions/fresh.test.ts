import { beforeEach, describe, expect, test } from "@jest/globals";
import { json } from "../../lib/http/response.ts";
import { expectJson, expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { pairOf } from "../support/pair.ts";
import { createContext } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRequests } = service;

// Routes of a user's own, wired from lib/ as docs/protect.md shows them. Settings are read when they are made.
Object.assign(process.env, service.environment);
const { api } = await import("../../lib/http/api.ts");
const { authenticate } = await import("../../lib/http/authenticate.ts");
let ran = 0;
beforeEach(() => {
  ran = 0;
});

async function createRoute(rule: { maxAgeSeconds: number } | { acr: "aal2" }) {
  const handler = api()
    .use(await authenticate(rule))
    .handler(() => json(200, { ran: ++ran }));
  return (cookies: string[]) => handler(createEvent("movies", { cookies }), createContext());
}

const payout = await createRoute({ maxAgeSeconds: 300 });

test("authenticate({ acr }) lets pass whoever logged in with two factors, and nobody else", async () => {
  const shred = await createRoute({ acr: "aal2" });
  const account = await service.addAccount();
  expectProblem(await shred((await service.logIn({ account })).cookies), refusals.oneFactor);
  const { codeAt } = await createAuthenticators(service)(account);
  const { email, password } = account;
  const { cookies } = pairOf(await sandbox.login({ body: { email, password, otp: codeAt() } }));
  expectJson(await expectRequests([], () => shred(cookies)), 200, { ran: 1 });
});

describe("authenticate({ maxAgeSeconds })", () => {
  test("O34 lets pass whoever logged in so long ago, without a request, and nobody a second later; the handler does not run", async () => {
    const { cookies } = await service.logIn();
    clock.advance(300);
    expectJson(await expectRequests([], () => payout(cookies)), 200, { ran: 1 });
    clock.advance(1);
    expectProblem(await expectRequests([], () => payout(cookies)), refusals.notFresh);
    expect(ran).toBe(1);
  });

  test("O33 counts from the login: a refresh makes nobody fresh, another login does, and ends the session before", async () => {
    const account = await service.addAccount();
    const old = await service.logIn({ account });
    clock.advance(301);
    const renewed = await service.rotate(old);
    expectProblem(await payout(renewed.cookies), refusals.notFresh);
    const { email, password } = account;
    const again = pairOf(await sandbox.login({ cookies: renewed.cookies, body: { email, password } }));
    expectJson(await payout(again.cookies), 200, { ran: 1 });
    expect(await service.findSession(renewed)).toBeUndefined();
  });

  test("O42 a thief who renews ahead of the owner never gets the login that the owner makes once more", async () => {
    const account = await service.addAccount();
    const stolen = await service.logIn({ account });
    clock.advance(301);
    const thief = await service.rotate(stolen);
    const { email, password } = account;
    const again = pairOf(await sandbox.login({ cookies: stolen.cookies, body: { email, password } }));
    expectJson(await payout(again.cookies), 200, { ran: 1 });
    expectProblem(await service.refresh(thief), refusals.tokenExpired);
    expectProblem(await payout(thief.cookies), refusals.notFresh);
    await service.rotate(again);
  });

  test("names its own figure", async () => {
    const transfer = await createRoute({ maxAgeSeconds: 60 });
    const { cookies } = await service.logIn();
    clock.advance(61);
    expectProblem(await transfer(cookies), {
      ...{ ...refusals.notFresh, detail: "This needs a login of the last 60 s. Log in again." },
      headers: { "www-authenticate": 'Bearer error="insufficient_user_authentication", max_age="60"' },
    });
  });

  test("comes after the credentials: without them it is a 401 as everywhere", async () => {
    expectProblem(await payout([]), refusals.noCredentials);
    expect(ran).toBe(0);
  });

  test.each([0, 9, -1, Number.NaN])(
    "O35 %s is refused when the route is made: every answer would be too late",
    async (maxAgeSeconds) => {
      await expect(authenticate({ maxAgeSeconds })).rejects.toThrow("maxAgeSeconds must be 10 or more");
    },
  );
});
