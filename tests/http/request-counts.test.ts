import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { cookieOf } from "../support/pair.ts";
import { logInSteps, lookUp, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRequests } = service;
const key = "b2f0a2f6-6f0b-4f6e-9f53-0d7f3c2b9a11";
const rotation = "UpdateItem sessions";

describe("DynamoDB requests", () => {
  /** Each makes ready what is counted, and gives the call. */
  test.each<[what: string, steps: Step[], prepare: () => Promise<() => Promise<unknown>>]>([
    ["register sends 1", ["PutItem users"], async () => () => service.register()],
    ["refresh sends 1", [rotation], async () => refreshOf(await service.logIn())],
    ["a repeat sends 1", [rotation], async () => refreshOf((await rotated()).first)],
    [
      "a proven repeat later than half the minimum interval sends 2",
      [rotation, rotation],
      async () => refreshOf((await rotated(key, 16)).first, key),
    ],
    [
      "the current pair inside the minimum interval sends 1",
      [rotation],
      async () => refreshOf((await rotated()).second),
    ],
    [
      "a replay sends 2",
      [rotation, "DeleteItem sessions"],
      async () => refreshOf((await rotated(undefined, 10)).first),
    ],
    [
      "logout sends 1",
      ["DeleteItem sessions"],
      async () => {
        const { cookies } = await service.logIn();
        return () => sandbox.logout({ cookies });
      },
    ],
    [
      "protected routes send none",
      [],
      async () => {
        const { cookies } = await service.logIn();
        return () => Promise.all([sandbox.movies({ cookies }), sandbox.me({ cookies }), sandbox.notFound()]);
      },
    ],
  ])("%s", async (_, steps, prepare) => {
    const call = await prepare();
    await expectRequests(steps, call);
  });

  test("login sends 4 in three steps, and both of its reads are strongly consistent", async () => {
    const account = await service.register();
    await expectRequests(logInSteps, () => service.logIn({ account }));
    const reads = service.wire.requests.filter(({ name }) => name === "GetItem users");
    expect(reads.every(({ parameters }) => parameters.ConsistentRead === true)).toBe(true);
  });

  test("a failed login sends 2, and so does one that has to wait", async () => {
    const { email } = await service.register();
    const body = { email, password: "not the right password" };
    for (const status of [401, 401, 401, 401, 401, 429])
      expect(await expectRequests([lookUp], () => sandbox.login({ body }))).toMatchObject({
        statusCode: status,
      });
  });

  test("R32 a forged pair sends none", async () => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    const [header, claims, signature] = pair.token.split(".");
    for (const value of [
      { token: `${header}.${other.token.split(".")[1]}.${signature}`, refreshToken: pair.refreshToken },
      { token: `${header}.${claims}.${other.token.split(".")[2]}`, refreshToken: pair.refreshToken },
      { token: pair.token, refreshToken: other.refreshToken },
    ]) {
      await expectRequests([], () => sandbox.refresh({ cookies: [cookieOf(value)] }));
    }
  });
});

function refreshOf(pair: Parameters<typeof service.refresh>[0], key?: string) {
  return () => service.refresh(pair, { key });
}

async function rotated(key?: string, seconds = 0) {
  const first = await service.logIn({ key });
  const second = await service.rotate(first, { key });
  clock.advance(seconds);
  return { first, second };
}
