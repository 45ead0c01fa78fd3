import { describe, expect, test } from "@jest/globals";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { startMailbox } from "../support/mailbox.ts";
import { loseAnswer } from "./browser.ts";
import { browser, createStore, expectSignedIn, openSession, type SessionOptions, service } from "./setup.ts";

const mailbox = await startMailbox(service);
const addFactor = createAuthenticators(service);
const [required, invalid, stale] = [
  { status: 401, code: "second_factor_required" },
  { status: 401, code: "invalid_otp" },
  { status: 401, code: "insufficient_user_authentication" },
];

/** Somebody whose address is proven, and what the user types at a login. */
async function register() {
  const owner = await service.register();
  const { userId, email, password } = owner;
  await service.database.change("users", { userId }, { emailVerifiedAt: 1 });
  return { userId, email, password, credentials: { email, password } };
}

/** Somebody who has had a second factor before this tab was opened. */
async function openOwner({ age = 0 } = {}) {
  const owner = await register();
  const [tab] = await openSession({ as: owner, age });
  return { ...tab, tab, owner, app: await addFactor(owner) };
}

describe.each<[who: string, createOptions: () => SessionOptions]>([
  ["a browser", () => ({})],
  ["a bearer client", () => ({ tokens: createStore() })],
])("%s", (_who, createOptions) => {
  test("O17 O20 sets an app up, logs in with it, renews the recovery codes, and switches it off", async () => {
    const { userId, credentials } = await register();
    const [tab] = await openSession({ ...createOptions(), as: credentials });
    const { auth, factors } = tab;
    const { enrolment, secret, uri } = await factors.startTotp();
    expect(uri).toContain(`secret=${secret}`);
    await expect(factors.confirmTotp({ enrolment, otp: "000000" })).rejects.toMatchObject(invalid);
    const first = { enrolment, otp: codeOf(secret) };
    browser.break("POST /auth/totp/confirm", loseAnswer);
    await expect(factors.confirmTotp(first)).rejects.toMatchObject({ code: "network_error" });
    const codes = await factors.confirmTotp(first);
    expect(new Set(codes).size).toBe(10);
    // This session is of one factor.
    await expect(factors.renewRecoveryCodes()).rejects.toMatchObject(stale);
    await expect(auth.login(credentials)).rejects.toMatchObject(required);
    await expectSignedIn(tab);
    clock.advance(30);
    await auth.login({ ...credentials, otp: codeOf(secret) });
    expect(await auth.me()).toMatchObject({ sub: userId, amr: ["pwd", "otp", "mfa"], acr: "aal2" });
    const renewed = await factors.renewRecoveryCodes();
    expect(renewed.some((code) => codes.includes(code))).toBe(false);
    expect(await auth.account()).toMatchObject({
      totp: { confirmedAt: expect.any(Number) },
      recoveryCodesLeft: 10,
    });
    await auth.login({ ...credentials, otp: renewed[3] as string });
    await factors.disableTotp();
    expect(await auth.account()).toMatchObject({ totp: null, recoveryCodesLeft: 0 });
    await auth.login(credentials);
  });
});

test("O33 O41 whoever has logged in too long ago is told so, once and without a refresh, and logs in once more", async () => {
  const owner = await register();
  const [{ auth, factors }] = await openSession({ as: owner, age: 301 });
  await expect(factors.startTotp()).rejects.toMatchObject(stale);
  expect(browser.names).toEqual(["POST /auth/totp 401"]);
  await auth.login(owner.credentials);
  await factors.startTotp();
  expect(await service.database.sessionsOf(owner.userId)).toHaveLength(1);
});

test("O25 a code that is missing or wrong is no reason to renew, and is sent once", async () => {
  const { auth, account, tab, owner, app } = await openOwner({ age: 100 });
  const { password } = owner;
  const newEmail = "elsewhere@example.com";
  for (const [otp, refusal] of [
    [{}, required],
    [{ otp: "000000" }, invalid],
  ] as const) {
    browser.forget();
    await expect(auth.deleteAccount({ password, ...otp })).rejects.toMatchObject(refusal);
    await expect(account.askEmailChange({ newEmail, password, ...otp })).rejects.toMatchObject(refusal);
    expect(browser.names).toEqual(["DELETE /auth/account 401", "POST /auth/email 401"]);
  }
  await expectSignedIn(tab);
  const [recovery = ""] = app.recoveryCodes;
  await auth.changePassword({ currentPassword: password, newPassword: `${password} 2`, otp: recovery });
  await account.askEmailChange({ newEmail, password: `${password} 2`, otp: app.codeAt() });
  await mailbox.receive();
  await auth.deleteAccount({ password: `${password} 2`, otp: app.codeAt(1) });
});

test("O25 a code from a mail waits for the second factor", async () => {
  const { account, auth, owner, app } = await openOwner();
  await auth.logout();
  await account.askLogin({ email: owner.email });
  const { code } = await mailbox.receive();
  await expect(account.confirmLogin({ code })).rejects.toMatchObject(required);
  await expect(account.confirmLogin({ code, otp: "000000" })).rejects.toMatchObject(invalid);
  await account.confirmLogin({ code, otp: app.codeAt() });
  expect(await auth.me()).toMatchObject({ sub: owner.userId, acr: "aal2" });
});

test("a new password by mail for an address that was never proven asks for the second factor, too", async () => {
  const { account, owner, app } = await openOwner();
  await service.database.change("users", { userId: owner.userId }, { emailVerifiedAt: undefined });
  await account.askPasswordReset({ email: owner.email });
  const { code } = await mailbox.receive();
  const reset = { code, newPassword: `${owner.password} 2` };
  await expect(account.confirmPasswordReset(reset)).rejects.toMatchObject(required);
  await account.confirmPasswordReset({ ...reset, otp: app.codeAt() });
});
