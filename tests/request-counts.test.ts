import { describe, expect, test } from "@jest/globals";
import { clock } from "./support/clock.ts";
import { cookieOf } from "./support/pair.ts";
import { logInSteps, lookUp, startServices } from "./support/service.ts";

/** An idempotency key as clients make one. */
const key = "b2f0a2f6-6f0b-4f6e-9f53-0d7f3c2b9a11";

describe.each(await startServices())("DynamoDB requests on $engine", (service) => {
  const { sandbox, expectRequests } = service;
  // The embedded engine does not return the item that refused a write: one more read, only then.
  const look = service.engine === "embedded" ? ["GetItem sessions"] : [];

  test("protected routes send none", async () => {
    const { cookies } = await service.logIn();
    await expectRequests([], () => sandbox.movies({ cookies }));
    await expectRequests([], () => sandbox.me({ cookies }));
    await expectRequests([], () => sandbox.notFound());
  });

  test("register sends 1", async () => {
    await expectRequests(["PutItem users"], () => service.register());
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
    for (let attempt = 1; attempt <= 5; attempt++) {
      await expectRequests([lookUp], () => sandbox.login({ body }));
    }
    const row = service.engine === "embedded" ? ["GetItem attempts"] : [];
    await expectRequests([lookUp, ...row], async () => {
      expect((await sandbox.login({ body })).statusCode).toBe(429);
    });
  });

  test("refresh sends 1", async () => {
    const pair = await service.logIn();
    await expectRequests(["UpdateItem sessions"], () => service.refresh(pair));
  });

  test("a repeat sends 1", async () => {
    const pair = await service.logIn();
    await service.rotate(pair);
    await expectRequests(["UpdateItem sessions", ...look], () => service.refresh(pair));
  });

  test("a proven repeat later than half the minimum interval sends 2", async () => {
    const pair = await service.logIn({ key });
    await service.rotate(pair, { key });
    clock.advance(16);
    await expectRequests(["UpdateItem sessions", ...look, "UpdateItem sessions"], () =>
      service.refresh(pair, { key }),
    );
  });

  test("the current pair inside the minimum interval sends 1", async () => {
    const pair = await service.rotate(await service.logIn());
    await expectRequests(["UpdateItem sessions", ...look], () => service.refresh(pair));
  });

  test("a replay sends 2", async () => {
    const pair = await service.logIn();
    await service.rotate(pair);
    clock.advance(10);
    await expectRequests(["UpdateItem sessions", ...look, "DeleteItem sessions"], () =>
      service.refresh(pair),
    );
  });

  test("R32 a forged pair sends none", async () => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    const [header, claims, signature] = pair.token.split(".");
    const forged = [
      { token: `${header}.${other.token.split(".")[1]}.${signature}`, refreshToken: pair.refreshToken },
      { token: `${header}.${claims}.${other.token.split(".")[2]}`, refreshToken: pair.refreshToken },
      { token: pair.token, refreshToken: other.refreshToken },
    ];
    for (const value of forged) {
      await expectRequests([], () => sandbox.refresh({ cookies: [cookieOf(value)] }));
    }
  });

  test("logout sends 1", async () => {
    const { cookies } = await service.logIn();
    await expectRequests(["DeleteItem sessions"], () => sandbox.logout({ cookies }));
  });

  test("every read that follows a refused write is strongly consistent", async () => {
    const pair = await service.logIn();
    await service.rotate(pair);
    service.wire.forget();
    await service.refresh(pair);
    const reads = service.wire.requests.filter(({ name }) => name.startsWith("GetItem"));
    expect(reads.map(({ parameters }) => parameters.ConsistentRead)).toEqual(look.map(() => true));
  });
});
