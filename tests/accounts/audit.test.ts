import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createConsumer, createStreamReader, listFeeds } from "../../local/stream-consumer.ts";
import { createAdministrator } from "../support/administrator.ts";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { declared, permissions } from "../support/declared.ts";
import type { RouteName } from "../support/event.ts";
import { createSignIns, keptOf } from "../support/external.ts";
import { fail, loseRequest, throttle } from "../support/faults.ts";
import { createInvite } from "../support/invite.ts";
import { log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { startOddProvider } from "../support/odd-provider.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createPasskey, createStoredPasskey } from "../support/passkey.ts";
import { type Account, startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// Who changed what of an account: what the users' stream tells of is put into the audit trail, once.

const service = await startService();
const { database, wire, feed, expectRequests } = service;
const odd = await startOddProvider();
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    {
      id: "odd",
      clientId: "web",
      redirectUris: ["https://app.example.com/odd"],
      ...odd.endpoints,
      emailDomains: ["example.com"],
    },
  ]),
  PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret: "a-client-secret-of-odd" } }),
});
const pathParameters = { provider: "odd" };
const { registerProven, rowsOf, mailsTo } = createTold(service);
const mailbox = await startMailbox(service);
const tell = () => feed("events");
const eventsOf = async (userId: string) => (await rowsOf(userId)).map(({ event }) => event);

const changePassword = ({ password }: Account, { cookies }: Pair) =>
  sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword: `${password} anew` } });
const revokeAll = ({ cookies }: Pair) => sandbox.revokeAllSessions({ cookies });
const remove = ({ password }: Account, { cookies }: Pair) =>
  sandbox.deleteAccount({ cookies, body: { password } });

/** By a code that was mailed. */
async function resetPassword({ email, password }: Account): Promise<ApiResponse> {
  const { challenge } = bodyOf(await sandbox.forgotPassword({ body: { email } }));
  const code = await mailbox.receiveCode(email);
  return sandbox.resetPassword({ body: { challenge, code, newPassword: `${password} anew` } });
}

/** The same, of an address that had none. */
async function confirmRegistration({ password }: Account): Promise<ApiResponse> {
  const email = "proven@example.com";
  const { challenge } = bodyOf(await sandbox.askRegistration({ body: { email } }));
  const code = await mailbox.receiveCode(email);
  return sandbox.confirmRegistration({ body: { challenge, code, password } });
}

/** The first proof of an address is one by which somebody signs in. */
async function confirmLoginCode({ email, userId }: Account): Promise<ApiResponse> {
  await database.change("users", { userId }, { emailVerifiedAt: undefined });
  const { challenge } = bodyOf(await sandbox.askLoginCode({ body: { email } }));
  const code = await mailbox.receiveCode(email);
  return sandbox.confirmLoginCode({ body: { challenge, code } });
}

const addressAfter = ({ email }: Account) => `after.${email}`;

/** To another address, with a code that was mailed there. */
async function confirmEmailChange(account: Account, { cookies }: Pair): Promise<ApiResponse> {
  const newEmail = addressAfter(account);
  const body = { newEmail, password: account.password };
  const { challenge } = bodyOf(await sandbox.askEmailChange({ cookies, body }));
  const code = await mailbox.receiveCode(newEmail);
  return sandbox.confirmEmailChange({ cookies, body: { challenge, code } });
}

/** With the token that was mailed to the address before. */
async function undoEmailChange(account: Account, pair: Pair): Promise<ApiResponse> {
  await confirmEmailChange(account, pair);
  await tell();
  await mailbox.deliver();
  const { link = "" } = mailbox.sent.findLast(({ to }) => to.includes(account.email)) ?? {};
  const [, token] = link.split("token=");
  // Of two rows of one and the same millisecond either may come first.
  clock.advance(1);
  return sandbox.undoEmailChange({ body: { token, newPassword: `${account.password} anew` } });
}

/** Of an address that an operator has invited. */
async function acceptInvitation({ password }: Account): Promise<ApiResponse> {
  const email = "invited@example.com";
  await createInvite(service)(email);
  await mailbox.deliver();
  const { link = "" } = mailbox.sent.findLast(({ to }) => to.includes(email)) ?? {};
  const [, token] = link.split("token=");
  return sandbox.acceptInvitation({ body: { token, password } });
}

const addFactor = createAuthenticators(service);

async function logInByRecoveryCode(account: Account): Promise<ApiResponse> {
  const { recoveryCodes } = await addFactor(account);
  const { email, password } = account;
  return sandbox.login({ body: { email, password, otp: recoveryCodes[0] } });
}

async function askByRecoveryCode(account: Account, { cookies }: Pair): Promise<ApiResponse> {
  const { recoveryCodes } = await addFactor(account);
  const { password } = account;
  const body = { newEmail: addressAfter(account), password, otp: recoveryCodes[0] };
  return sandbox.askEmailChange({ cookies, body });
}

async function confirmTotp(_: Account, { cookies }: Pair): Promise<ApiResponse> {
  const { enrolment, secret } = bodyOf(await sandbox.startTotp({ cookies }));
  return sandbox.confirmTotp({ cookies, body: { enrolment, otp: codeOf(secret) } });
}

/** In a session that was opened with a code. */
async function withFactor(
  name: "disableTotp" | "renewRecoveryCodes",
  { email, password, userId }: Account,
): Promise<ApiResponse> {
  const { codeAt } = await addFactor({ userId });
  const { cookies } = pairOf(await sandbox.login({ body: { email, password, otp: codeAt() } }));
  return sandbox[name]({ cookies });
}

async function addPasskey({ userId }: Account, { cookies }: Pair): Promise<ApiResponse> {
  const rpId = String(service.environment.PASSKEY_RP_ID);
  const { challenge } = bodyOf(await sandbox.beginPasskey({ cookies }));
  const body = { passkey: createPasskey({ userId, rpId, origin: `https://${rpId}` }).create(challenge) };
  return sandbox.addPasskey({ cookies, body });
}

async function removePasskey({ userId }: Account, { cookies }: Pair): Promise<ApiResponse> {
  const passkeyId = "A".repeat(22);
  await database.change("users", { userId }, { passkeys: { [passkeyId]: createStoredPasskey(1) } });
  return sandbox.removePasskey({ cookies, pathParameters: { passkeyId } });
}

/** Somebody whose provider gives out the addresses of the account's domain. */
async function signInThere({ email }: Account): Promise<ApiResponse> {
  const { begin, finish } = createSignIns(sandbox, "odd");
  const begun = await begin();
  const claims = odd.claims(begun.nonce, { sub: email, email, email_verified: true });
  return finish(begun, { code: odd.createCode(claims) });
}

async function linkIdentity({ email }: Account, { cookies }: Pair): Promise<ApiResponse> {
  const begun = await sandbox.beginLink({ pathParameters, cookies });
  const { state, nonce } = bodyOf(begun);
  const code = odd.createCode(odd.claims(nonce, { sub: email }));
  return sandbox.linkIdentity({
    pathParameters,
    cookies: [...cookies, ...keptOf(begun)],
    body: { code, state },
  });
}

async function unlinkIdentity({ userId }: Account, { cookies }: Pair): Promise<ApiResponse> {
  const identityId = "A".repeat(43);
  await database.change("users", { userId }, { identityIds: new Set([`external:${identityId}`]) });
  return sandbox.unlinkIdentity({ cookies, pathParameters: { identityId } });
}

type Act = (by: Account, own: Pair) => Promise<ApiResponse>;

/** By an administrator. */
const asAdmin =
  (name: RouteName, body?: object): Act =>
  async ({ userId }) => {
    const { cookies } = (await createAdministrator(service)).pair;
    await tell();
    return sandbox[name]({ cookies, pathParameters: { userId }, ...(body && { body }) });
  };

/** Every function that changes accounts: what it is called in the trail, by whom it is done, and how. */
const changes: Record<string, [event: string, by: string, change: Act]> = {
  register: [
    "user_created",
    "user",
    ({ password }) => sandbox.register({ body: { email: "new@example.com", password } }),
  ],
  confirmRegistration: ["user_created", "user", confirmRegistration],
  acceptInvitation: ["user_created", "invitation", acceptInvitation],
  confirmLoginCode: ["user_updated", "code", confirmLoginCode],
  confirmEmailChange: ["user_updated", "user", confirmEmailChange],
  undoEmailChange: ["user_updated", "undo", undoEmailChange],
  login: ["recovery_code_used", "user", logInByRecoveryCode],
  askEmailChange: ["recovery_code_used", "user", askByRecoveryCode],
  confirmTotp: ["totp_added", "user", confirmTotp],
  disableTotp: ["totp_removed", "user", (by) => withFactor("disableTotp", by)],
  renewRecoveryCodes: ["recovery_codes_made", "user", (by) => withFactor("renewRecoveryCodes", by)],
  addPasskey: ["passkey_added", "user", addPasskey],
  removePasskey: ["passkey_removed", "user", removePasskey],
  finishExternal: ["identity_linked", "provider", signInThere],
  linkIdentity: ["identity_linked", "user", linkIdentity],
  unlinkIdentity: ["identity_unlinked", "user", unlinkIdentity],
  changePassword: ["authn_password_change", "user", changePassword],
  resetPassword: ["authn_password_change", "reset", resetPassword],
  revokeAllSessions: ["authn_token_revoked", "user", (_, own) => revokeAll(own)],
  deleteAccount: ["user_deleted", "user", remove],
  disableUser: ["user_archived", "admin", asAdmin("disableUser")],
  enableUser: ["user_updated", "admin", asAdmin("enableUser")],
  resetUser: ["authn_recovery_begun", "admin", asAdmin("resetUser")],
  setUserRoles: ["privilege_permissions_changed", "admin", asAdmin("setUserRoles", { roles: ["a"] })],
  endUserSessions: ["authn_token_revoked", "admin", asAdmin("endUserSessions")],
  deleteUser: ["user_deleted", "admin", asAdmin("deleteUser")],
};

test("W01 every function that may write users, but for the naming of a passkey, is among these", () => {
  const writers = Object.entries(permissions).filter(([, each]) =>
    each.some((permission) => /^(Put|Update|Delete)Item users$/.test(permission)),
  );
  expect(Object.keys(changes).sort()).toEqual(
    writers
      .map(([name]) => name)
      .filter((name) => name !== "renamePasskey")
      .sort(),
  );
});

test.each(Object.entries(changes))("W01 %s leaves one row: what, by whom, from where", async (_, change) => {
  const [event, by, act] = change;
  const account = await registerProven();
  const pair = await service.logIn({ account });
  const response = await act(account, pair);
  expect(response.statusCode).toBeLessThan(300);
  const requestId = log.entries().at(-1)?.requestId;
  expect(await tell()).toBe(true);
  const isNew = event === "user_created";
  const { userId } = isNew ? bodyOf(response) : account;
  expect((await rowsOf(userId)).at(-1)).toEqual({
    ...{ userId, event, at: clock.now, requestId, change: expect.stringContaining(`${clock.now}#`) },
    // Of whoever acts for the team no more is told.
    ...(by === "admin"
      ? { by: expect.stringMatching(/^admin [\da-f-]{36}$/) }
      : { by, ip: "192.0.2.7", device: "unknown browser" }),
    ...(event === "privilege_permissions_changed" && { roles: ["a"] }),
    expiresAt: clock.now + 400 * 86_400,
  });
  expect(await eventsOf(userId)).toEqual([
    ...(isNew ? [] : ["user_created"]),
    ...(by === "undo" ? [event, event] : event === "user_deleted" ? ["user_deleting", event] : [event]),
  ]);
});

test("W02 a re-hash, the end of a sweep, a login and what is refused leave no row and no mail, now or later", async () => {
  const account = await registerProven();
  const { userId, email } = account;
  const stale = await service.logIn({ account });
  await changePassword(account, await service.logIn({ account }));
  await tell();
  const told = [await rowsOf(userId), await mailsTo(email)];
  expect(told.map((each) => each.length)).toEqual([2, 3]);

  const user = await database.find("users", { userId });
  const password = `${account.password} anew`;
  expectProblem(await changePassword({ ...account, password }, stale), refusals.invalidToken);
  expectProblem(
    await service.sandbox.login({ body: { email, password: "wrong, all of it" } }),
    refusals.loginFailed,
  );
  await database.change("users", { userId }, { passwordHash: user?.passwordHash.replace("t=2", "t=1") });
  for (const days of [1, 7, 393]) {
    await database.change("users", { userId }, { sweptEpoch: days });
    // What any such write shows of the last change is told by the write that made it.
    await expectRequests([], tell);
    clock.advance(days * 86_400);
  }
  // By then the row is gone. The item comes back as it was, by a restore.
  for (const { change } of told[0] ?? []) await database.delete("audit", { userId, change });
  await database.delete("users", { userId });
  await database.put("users", user ?? {});
  expect(await tell()).toBe(true);
  expect([await rowsOf(userId), await mailsTo(email)]).toEqual([[], told[1]]);
});

describe("W03 what comes twice is told once:", () => {
  /** Hands everything to the function once more, two records at a time. */
  async function tellAgain() {
    const source = listFeeds(declared.functions, declared.resources.Resources).find(
      ({ functionName }) => functionName === "events",
    );
    if (!source) throw new TypeError("nothing feeds events");
    const read = createStreamReader(database.deliver, source);
    const twice = async () => (await read()).flatMap((record) => [record, record]);
    const consume = createConsumer(twice, { ...source.event, batchSize: 2 });
    return consume((event) => sandbox.feed("events", event));
  }

  test("a record that is delivered again, beside itself and in another batch", async () => {
    const account = await registerProven();
    await changePassword(account, await service.logIn({ account }));
    await tell();
    const told = [await rowsOf(account.userId), await mailsTo(account.email)];
    wire.forget();
    expect(await tellAgain()).toBe(true);
    // A row is looked at; nothing is put that was put before.
    expect(new Set(wire.names)).toEqual(new Set(["GetItem audit"]));
    expect([await rowsOf(account.userId), await mailsTo(account.email)]).toEqual(told);
  });

  test.each(["PutItem mails", "PutItem audit"])("a record whose %s failed, and comes again", async (name) => {
    const account = await registerProven();
    await remove(account, await service.logIn({ account }));
    wire.break(name, throttle, { times: 3 });
    expect(await tell()).toBe(false);
    expect(await eventsOf(account.userId)).not.toContain("user_deleted");
    clock.advance(60);
    expect(await tell()).toBe(true);
    expect(await eventsOf(account.userId)).toEqual(["user_created", "user_deleting", "user_deleted"]);
    const told = (await mailsTo(account.email)).filter(({ notice }) => notice === "accountDeleted");
    expect(told).toHaveLength(1);
  });
});

test("W04 two changes within a second are two rows, in order", async () => {
  const account = await registerProven();
  const pair = await service.logIn({ account });
  await changePassword(account, pair);
  const next = await service.logIn({ account: { ...account, password: `${account.password} anew` } });
  clock.advance(1 / 8);
  await revokeAll(next);
  clock.advance(7 / 8);
  await tell();
  expect(await eventsOf(account.userId)).toEqual([
    "user_created",
    "authn_password_change",
    "authn_token_revoked",
  ]);
});

test("W05 while events fails everything else goes on, and all that it missed arrives, in order", async () => {
  const accounts = [await registerProven(), await registerProven()];
  wire.break("GetItem audit", fail, { times: 99 });
  for (const account of accounts) {
    const pair = await service.logIn({ account });
    expect((await changePassword(account, pair)).statusCode).toBe(200);
  }
  for (let minute = 0; minute < 10; minute++) {
    log.clear();
    expect(await tell()).toBe(false);
    expect(log.entries()).toMatchObject(
      Array(2).fill({ level: "ERROR", what: "a change that was not told" }),
    );
    clock.advance(60);
  }
  wire.mend();
  expect(await tell()).toBe(true);
  for (const { userId, email } of accounts) {
    expect(await eventsOf(userId)).toEqual(["user_created", "authn_password_change"]);
    expect(await mailsTo(email)).toHaveLength(2);
  }
});

test("an item that was damaged by hand is logged, and holds up nobody else", async () => {
  const [broken, account] = [await registerProven(), await registerProven()];
  await database.change("users", { userId: broken.userId }, { lastChange: { id: "new", at: "today" } });
  await changePassword(account, await service.logIn({ account }));
  log.clear();
  expect(await tell()).toBe(true);
  expect(log.entries()).toMatchObject([{ level: "ERROR", what: "a change that cannot be told" }]);
  expect(await eventsOf(account.userId)).toContain("authn_password_change");
});

test("W07 a deletion is told by mail when the account is gone, not when it begins; both leave a row, and no address", async () => {
  const account = await registerProven();
  const { userId, email } = account;
  let pair = await service.logIn({ account });
  wire.break("Query sessions", loseRequest, { times: 3 });
  expectProblem(await remove(account, pair), refusals.unavailable);
  for (let hours = 0; hours < 40; hours += 20) {
    expect(await tell()).toBe(true);
    expect(await eventsOf(userId)).toEqual(["user_created", "user_deleting"]);
    clock.advance(20 * 3_600);
    pair = await service.rotate(pair);
  }
  expect((await remove(account, pair)).statusCode).toBe(204);
  await tell();
  const deletion = ["user_deleting", "user_deleted"];
  expect(await eventsOf(userId)).toEqual(["user_created", "user_deleting", ...deletion]);
  expect(JSON.stringify(await rowsOf(userId))).not.toContain(email);
  const mails = await mailsTo(email);
  expect(mails).toContainEqual(expect.objectContaining({ notice: "accountDeleted", createdAt: clock.now }));
  for (const { expiresAt } of mails) expect(expiresAt).toBeLessThanOrEqual(clock.now + 7 * 86_400);
});
