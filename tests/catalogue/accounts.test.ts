import { Socket } from "node:net";
import { expect, jest, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, expectRefusal } = service;
const accountsAtStart = await database.scan("users");

test("A33 there is no account that nobody registered", async () => {
  expect(accountsAtStart).toEqual([]);
  for (const name of ["admin", "root", "test", "administrator"]) {
    const body = { email: `${name}@example.com`, password: name };
    expectProblem(await sandbox.login({ body }), refusals.loginFailed);
  }
});

test("A19 a common password is refused without any connection", async () => {
  const body = { email: "nobody@example.com", password: "1234567890987654321" };
  const connect = jest.spyOn(Socket.prototype, "connect");
  // No sandbox has read its list yet.
  const response = await service.createSandbox().register({ body });
  const { length } = connect.mock.calls;
  connect.mockRestore();
  expectProblem(response, {
    ...{ status: 400, code: "invalid_body" },
    detail: "password is among the most common passwords; choose another one",
    errors: [{ pointer: "#/password", detail: "is among the most common passwords; choose another one" }],
  });
  expect(length).toBe(0);
});

test("A28 a planted cookie of the attacker's is not what the victim is logged in with", async () => {
  const planted = await service.logIn({ account: await service.register() });
  const { email, password, userId } = await service.register();
  const victim = pairOf(await sandbox.login({ body: { email, password }, cookies: planted.cookies }));
  expect(victim.claims).toMatchObject({ sub: userId, email });
  expect(victim.claims.sid).not.toBe(planted.claims.sid);
  expect(victim.refreshToken).not.toBe(planted.refreshToken);
  // What the attacker kept is still only their own.
  const kept = await service.rotate(planted);
  expect(kept.claims.sub).toBe(planted.claims.sub);
});

test("A28 an attacker's device cookie gives the victim's browser nothing, and takes nothing", async () => {
  const attacker = await service.register();
  const planted = await sandbox.login({ body: { email: attacker.email, password: attacker.password } });
  const device = planted.cookies?.[1]?.split(";")[0] ?? "";
  const { email, password, userId } = await service.register();
  const victim = pairOf(await sandbox.login({ body: { email, password }, cookies: [device] }));
  expect(victim.claims.sub).toBe(userId);
  await expectRefusal(
    () => sandbox.login({ body: { email, password: attacker.password }, cookies: [device] }),
    refusals.loginFailed,
    [["GetItem users", "UpdateItem attempts"]],
  );
});
