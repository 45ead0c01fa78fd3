import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { cancel, deny, precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { lookUp, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const put = "TransactWriteItems users identities";
const find = "GetItem users";
const conflict = "TransactionConflictException";
const keyOf = (email: string) => ({ identity: `email:${email}` });
const taken = { status: 409, code: "email_taken", detail: "There is an account with this e-mail address." };

/** An account that has left its address, whose entry still stands. */
async function leave(attributes: object = {}) {
  const account = await service.addAccount();
  const { email, userId } = account;
  await database.change("users", { userId }, { email: `new.${email}` });
  await database.change("identities", keyOf(email), attributes);
  return account;
}

describe("an entry that its user does not name is nobody's", () => {
  test.each([
    ["left behind", {}],
    ["reserved", { reservedUntil: clock.now + 604_800 }],
  ])("at login: %s", async (_, attributes) => {
    const { email, password } = await leave(attributes);
    const logIn = () => sandbox.login({ body: { email, password } });
    const response = await expectRequests(lookUp, () => expectHashes(1, logIn));
    expectProblem(response, refusals.loginFailed);
  });

  test("nor does an entry that points to nobody let anybody in", async () => {
    const { email, password, userId } = await service.addAccount();
    await database.delete("users", { userId });
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
  });

  test("at registration: whoever registers gets the address, the other account stays as it is", async () => {
    const { email, password, userId } = await leave();
    const before = await database.find("users", { userId });
    const register = () => sandbox.register({ body: { email, password } });
    const response = await expectRequests([put, find, put], register);
    expect(await database.find("identities", keyOf(email))).toEqual({
      ...{ ...keyOf(email), userId: bodyOf(response).userId, createdAt: clock.now },
    });
    expect(await database.find("users", { userId })).toEqual(before);
    const pair = pairOf(await sandbox.login({ body: { email, password } }));
    expect(pair.claims.sub).toBe(bodyOf(response).userId);
  });

  test("at registration over the entry of an account that is gone", async () => {
    const { email, password, userId } = await service.addAccount();
    await database.delete("users", { userId });
    expect((await sandbox.register({ body: { email, password } })).statusCode).toBe(201);
  });

  test("unless the user names it again, or another one takes it, before it is overwritten", async () => {
    const { email, password, userId } = await leave();
    wire.break(put, (request) => request.deliver());
    wire.break(
      put,
      precededBy(() => database.change("users", { userId }, { email })),
    );
    const register = () => sandbox.register({ body: { email, password } });
    expectProblem(await expectRequests([put, find, put, put, find], register), taken);
    expect((await database.find("identities", keyOf(email)))?.userId).toBe(userId);

    const left = await leave();
    const other = await service.addAccount();
    wire.break(put, (request) => request.deliver());
    wire.break(
      put,
      precededBy(async () => {
        await database.change("users", { userId: other.userId }, { email: left.email });
        await database.change("identities", keyOf(left.email), { userId: other.userId });
      }),
    );
    expectProblem(await sandbox.register({ body: { email: left.email, password } }), taken);
    expect((await database.find("identities", keyOf(left.email)))?.userId).toBe(other.userId);
  });
});

test("S16 a damaged entry is a 500 whose log says which, without the address", async () => {
  const { email, password, userId } = await service.addAccount();
  await database.change("identities", keyOf(email), { createdAt: undefined });
  const logIn = () => sandbox.login({ body: { email, password } });
  expectProblem(await expectRequests(["GetItem identities"], logIn), refusals.internalError);
  const errors = log.entries().at(-1)?.errors as { message: string }[];
  expect(errors[1]?.message).toBe(`the identity with userId "${userId}" is damaged: createdAt`);
});

test("a reserved address is taken until its time is over, though DynamoDB has not deleted it", async () => {
  const reservedUntil = clock.now + 604_800;
  const { email, password } = await leave({ reservedUntil, expiresAt: reservedUntil });
  const body = { email, password };
  clock.advance(604_799);
  expectProblem(await expectRequests([put], () => sandbox.register({ body })), taken);
  clock.advance(1);
  const response = await expectRequests([put], () => sandbox.register({ body }));
  expect(await database.find("identities", keyOf(email))).toEqual({
    ...{ ...keyOf(email), userId: bodyOf(response).userId, createdAt: clock.now },
  });
});

test("S25 a write to a user that is in a transaction is tried again three times, and is then a 503", async () => {
  const account = await service.addAccount();
  const { password } = account;
  const next = `${password} ${randomUUID()}`;
  const { cookies } = await service.logIn({ account });
  const change = () =>
    sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword: next } });
  wire.break("UpdateItem users", deny(conflict), { times: 4 });
  expectProblem(await change(), refusals.unavailable);
  wire.break("UpdateItem users", deny(conflict), { times: 3 });
  expect((await change()).statusCode).toBe(200);
  await service.logIn({ account: { ...account, password: next } });
});

test("a deletion leaves an entry that is another's by now, and takes no conflict for one", async () => {
  const { account, pairs } = await service.open(1);
  const { email, password, userId } = account;
  const other = await service.addAccount();
  await database.change("identities", keyOf(email), { userId: other.userId });
  wire.break(put, cancel("None", "TransactionConflict"));
  const remove = () => sandbox.deleteAccount({ cookies: pairs[0].cookies, body: { password } });
  expect((await remove()).statusCode).toBe(204);
  expect(await database.find("users", { userId })).toBeUndefined();
  expect((await database.find("identities", keyOf(email)))?.userId).toBe(other.userId);
});
