import { describe, expect, test } from "@jest/globals";
import { cookieOf } from "../support/pair.ts";
import { logInSteps, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRequests } = service;

describe("DynamoDB requests", () => {
  /** Each makes ready what is counted, and gives the call. */
  test.each<[what: string, steps: Step[], prepare: () => Promise<() => Promise<unknown>>]>([
    ["register sends 1", ["TransactWriteItems users identities"], async () => () => service.addAccount()],
    [
      "refresh sends 1",
      ["UpdateItem sessions"],
      async () => {
        const pair = await service.logIn();
        return () => service.refresh(pair);
      },
    ],
    // Those of repeats and replays are counted in tests/sessions/rotation.test.ts.
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

  test("login sends 5 in four steps, and all of its reads are strongly consistent", async () => {
    const account = await service.addAccount();
    await expectRequests(logInSteps, () => service.logIn({ account }));
    const reads = service.wire.requests.filter(({ name }) => name.startsWith("GetItem "));
    expect(reads.map(({ parameters }) => parameters.ConsistentRead)).toEqual([true, true, true]);
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
