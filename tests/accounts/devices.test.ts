import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf, expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createHashKey, hashKeySettings } from "../support/keys.ts";
import { pairOf } from "../support/pair.ts";
import { remove } from "../support/rotations.ts";
import { type Account, logInSteps, lookUp, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire, expectRequests } = service;
const wrong = { password: "not the right password" };
const logIn = ({ email, password }: Pick<Account, "email" | "password">, device?: string, as = sandbox) =>
  as.login({ body: { email, password }, ...(device !== undefined && { cookies: [device] }) });

/** The device cookie of an answer, as the browser sends it back. */
function deviceOf({ statusCode, cookies = [] }: ApiResponse): string {
  expect(statusCode).toBe(200);
  const set = cookies.filter((line) => !line.includes("Max-Age=0"));
  expect(set).toHaveLength(2);
  return set[1]?.split(";")[0] ?? "";
}

/**
 * Guesses at an account until that has to wait. Strangers have one attempt less here: the first login, by a browser not
 * known yet, stays counted as one of theirs.
 */
async function lock(account: Account, device?: string): Promise<void> {
  for (let i = 0; i < (device === undefined ? 4 : 5); i++)
    expectProblem(await logIn({ ...account, ...wrong }, device), refusals.loginFailed);
  expectProblem(await logIn({ ...account, ...wrong }, device), tooManyAttempts(30));
}

describe("a browser that has logged in before", () => {
  test("is recognised by a cookie of its own, with the attributes of the other", async () => {
    const account = await service.addAccount();
    const { cookies } = await logIn(account);
    expect(cookies?.[1]).toMatch(
      /^auth-cookie-device=[\w.-]+\.[\w-]{22}; HttpOnly; Secure; SameSite=Strict; Path=\/; Max-Age=7776000$/,
    );
    expect(cookies?.[1]).not.toContain(account.email.slice(0, 8));
  });

  test("A22 logs in while strangers have the account wait, and theirs goes on waiting", async () => {
    const account = await service.addAccount();
    const device = deviceOf(await logIn(account));
    await lock(account);
    expect((await logIn(account, device)).statusCode).toBe(200);
    expectProblem(await logIn(account), tooManyAttempts(30));
  });

  test("has to wait, too, after its own five wrong attempts; strangers and other browsers do not", async () => {
    const account = await service.addAccount();
    const device = deviceOf(await logIn(account));
    const other = deviceOf(await logIn(account));
    await lock(account, device);
    expectProblem(await logIn(account, device), tooManyAttempts(30));
    expect((await logIn(account, other)).statusCode).toBe(200);
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test("begins anew with each login: one after the other takes five requests, and five wrong ones are free", async () => {
    const account = await service.addAccount();
    let device = deviceOf(await logIn(account));
    for (let i = 0; i < 3; i++) {
      device = deviceOf(await expectRequests([...logInSteps, remove], () => logIn(account, device)));
    }
    // Nor does forgetting wrong ones take a request; they send what a stranger's do.
    for (let i = 0; i < 3; i++) await expectRequests(lookUp, () => logIn({ ...account, ...wrong }, device));
    device = deviceOf(await expectRequests([...logInSteps, remove], () => logIn(account, device)));
    await lock(account, device);
  });

  test("keeps up to four accounts, the latest first", async () => {
    const accounts = await Promise.all(Array.from({ length: 5 }, () => service.addAccount()));
    let device = "";
    for (const account of accounts) device = deviceOf(await logIn(account, device));
    expect(device.split("~")).toHaveLength(4);
    for (const account of accounts) await lock(account);
    const statuses = [];
    for (const account of accounts) statuses.push((await logIn(account, device)).statusCode);
    expect(statuses).toEqual([429, 200, 200, 200, 200]);
  });

  test("changes its password while strangers have the account wait", async () => {
    const account = await service.addAccount();
    const opened = await logIn(account);
    const cookies = (opened.cookies ?? []).map((line) => line.split(";")[0] ?? "");
    await lock(account);
    const body = { currentPassword: account.password, newPassword: "another correct horse" };
    expectProblem(await sandbox.changePassword({ body, cookies: cookies.slice(0, 1) }), tooManyAttempts(30));
    expect((await sandbox.changePassword({ body, cookies })).statusCode).toBe(200);
  });

  test("goes on in its session although the answer with its new cookie was lost; another login is a stranger's", async () => {
    const account = await service.addAccount();
    const opened = await logIn(account);
    const cookies = (opened.cookies ?? []).map((line) => line.split(";")[0] ?? "");
    const ended = await sandbox.revokeAllSessions({ cookies, query: { except: "current" } });
    expect(ended.statusCode).toBe(204);
    await lock(account);
    expectProblem(await logIn(account, deviceOf(opened)), tooManyAttempts(30));
    const body = { currentPassword: account.password, newPassword: "another correct horse" };
    // Nor is the entry of another account.
    const [own = ""] = cookies;
    const stranger = [own, deviceOf(await logIn(await service.addAccount()))];
    expectProblem(await sandbox.changePassword({ body, cookies: stranger }), tooManyAttempts(30));
    expect((await sandbox.changePassword({ body, cookies })).statusCode).toBe(200);
  });

  test("is a stranger again when the hash key that made its cookie is gone", async () => {
    const account = await service.addAccount();
    const device = deviceOf(await logIn(account));
    const rotated = service.createSandbox(hashKeySettings(createHashKey()));
    for (let i = 0; i < 5; i++) await logIn({ ...account, ...wrong }, undefined, rotated);
    expectProblem(await logIn(account, device, rotated), tooManyAttempts(30));
  });
});

describe("a device cookie that is not genuine is that of a stranger", () => {
  test("A28 of another account, forged, cut, doubled or oversized", async () => {
    const account = await service.addAccount();
    const other = deviceOf(await logIn(await service.addAccount()));
    const device = deviceOf(await logIn(account));
    await lock(account);
    const [name, value = ""] = device.split("=");
    const forged = [
      other,
      `${name}=`,
      `${name}=${value.slice(0, -1)}`,
      `${name}=${value.slice(0, -1)}${value.endsWith("A") ? "B" : "A"}`,
      `${name}=${value.replace(/^[\w-]+/, "A".repeat(36))}`,
      `${name}=${value.replace(/\.0\.(\d+)\./, ".1.$1.")}`,
      `${name}=${value.replace(/\.0\.(\d+)\./, ".0.9$1.")}`,
      `${name}=${Array(5).fill(value).join("~")}`,
      `${name}=${value}~`,
      `${name}=${value.replace(".", "~")}`,
      `${name}=${"A".repeat(60_000)}`,
      `${name}=__proto__`,
    ];
    for (const cookie of forged) expectProblem(await logIn(account, cookie), tooManyAttempts(30));
    const cookies = [device, `${name}=other`];
    const body = { email: account.email, password: account.password };
    expectProblem(await sandbox.login({ body, cookies }), tooManyAttempts(30));
    // An attacker's that was planted gives the victim's browser nothing, and takes nothing.
    clock.advance(30);
    expectProblem(await logIn({ ...account, ...wrong }, other), refusals.loginFailed);
    clock.advance(60);
    expect(pairOf(await logIn(account, other)).claims.sub).toBe(account.userId);
  });

  test("a client that keeps its tokens itself gets it in the body, and sends it there", async () => {
    const account = await service.addAccount();
    const { email, password } = account;
    const headers = { "auth-mode": "bearer" };
    const response = await sandbox.login({ body: { email, password }, headers });
    expect(response.cookies).toBeUndefined();
    const { device } = bodyOf(response);
    await lock(account);
    expect((await sandbox.login({ body: { email, password, device }, headers })).statusCode).toBe(200);
    // In the body of a browser it does not count.
    expectProblem(await sandbox.login({ body: { email, password, device } }), tooManyAttempts(30));
  });
});

describe("a device cookie is taken back", () => {
  test.each<[string, (account: Account, cookies: string[]) => Promise<unknown>, number?]>([
    [
      "by a change of the password",
      async (account, cookies) => {
        const body = { currentPassword: account.password, newPassword: `${account.password} and more` };
        expect((await sandbox.changePassword({ body, cookies })).statusCode).toBe(200);
        account.password = body.newPassword;
      },
    ],
    ["by the end of all sessions", (_, cookies) => sandbox.revokeAllSessions({ cookies })],
    ["after 90 days", async () => clock.advance(91 * 86_400)],
    [
      "when somebody else has the address",
      async (account, cookies) => {
        const { email, password } = account;
        await sandbox.deleteAccount({ body: { password }, cookies });
        await sandbox.register({ body: { email, password } });
      },
      // It is not even genuine: it is another user's.
      1,
    ],
    [
      "when its user has another address",
      ({ email, userId }) => service.database.change("users", { userId }, { email: `new.${email}` }),
    ],
  ])("%s: its guesses are those of strangers, counted before the password is looked at", async (...row) => {
    const [, act, counts = 2] = row;
    const account = await service.addAccount();
    const opened = await logIn(account);
    const cookies = (opened.cookies ?? []).map((line) => line.split(";")[0] ?? "");
    const device = deviceOf(opened);
    await act(account, cookies);
    wire.forget();
    expectProblem(await logIn({ ...account, ...wrong }, device), refusals.loginFailed);
    // Of 90 days ago the rows are over, and begin anew.
    const counted = wire.names.filter((name) => name === "UpdateItem attempts");
    expect(counted).toHaveLength(counts);
    for (let i = 0; i < 5; i++) await logIn({ ...account, ...wrong });
    expectProblem(await logIn(account, device), tooManyAttempts(30));
  });
});
