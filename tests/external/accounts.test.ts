import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { externalIdentity } from "../../lib/providers/evidence.ts";
import { expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { createCodesWithoutMail } from "../support/codes-without-mail.ts";
import { createSignIns } from "../support/external.ts";
import { cancel, loseAnswer, precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { type Account, startService } from "../support/service.ts";

// Whose account a provider's word opens.

const service = await startService();
const { database, wire } = service;
const addFactor = createAuthenticators(service);
const odd = await startOddProvider();
const tenant = "0f0a3a0e-6f0a-4f0e-8f5c-3a7f3d1c2b4a";
const at = (id: string, more: object = {}) => ({
  ...{ id, clientId: "web", redirectUris: [`https://app.example.com/${id}`], ...odd.endpoints, ...more },
});
const settings = {
  IDENTITY_PROVIDERS: JSON.stringify([
    ...[at("oidc"), at("google"), at("own", { emailDomains: ["example.org"] })],
    at("microsoft", { tenant, emailDomains: ["example.net"] }),
  ]),
  PROVIDER_KEYS: JSON.stringify(
    Object.fromEntries(
      ["oidc", "google", "own", "microsoft"].map((id) => [id, { clientSecret: `secret-of-${id}` }]),
    ),
  ),
};
const sandbox = service.createSandbox(settings);

const refused = (status: number, code: string, detail: string) => ({ status, code, detail });
const signInRefused = refused(400, "sign_in_refused", "The sign-in was refused. Begin again.");
const taken = refused(
  409,
  "email_taken",
  "There is an account with this e-mail address. Log in as before, then link the provider to the account.",
);
const notVerified = refused(
  403,
  "email_not_verified",
  "The provider does not say that the e-mail address is yours. Have it verified there, or register.",
);

const newEmail = (domain = "example.com") => `${randomUUID().slice(0, 13)}@${domain}`;
const newSub = () => randomUUID();

/** A sign-in of somebody at a provider, come to where the page is opened; each call ends it. */
async function returned(provider: string, claims: Claims, as = sandbox) {
  const { begin, finish } = createSignIns(as, provider);
  const begun = await begin();
  const code = odd.createCode(odd.claims(begun.nonce, claims));
  return (more: object = {}, request: object = {}) => finish(begun, { code, ...more }, request);
}
const signIn = async (provider: string, claims: Claims, as = sandbox) =>
  (await returned(provider, claims, as))();
const subOf = (response: ApiResponse) => pairOf(response).claims.sub;
const userOf = (userId: string) => database.find("users", { userId });
const identityOf = (sub: string) => externalIdentity(odd.issuer, sub);

async function registerProven(email: string): Promise<Account> {
  const account = { email, password: `correct horse ${randomUUID()}` };
  const { userId } = JSON.parse((await sandbox.register({ body: account })).body ?? "");
  await database.change("users", { userId }, { emailVerifiedAt: clock.now });
  return { ...account, userId };
}

test("X23 fifty first sign-ins of one identity at once make one account, with one entry", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const calls = await Promise.all(Array.from({ length: 50 }, () => returned("oidc", claims)));
  const answers = await Promise.all(calls.map((call) => call()));
  const ids = new Set(answers.flatMap((each) => (each.statusCode === 200 ? [subOf(each)] : [])));
  expect(ids.size).toBe(1);
  for (const each of answers) if (each.statusCode !== 200) expectProblem(each, refusals.unavailable);
  const [userId] = [...ids];
  expect(await database.find("identities", { identity: identityOf(claims.sub) })).toEqual({
    ...{
      identity: identityOf(claims.sub),
      userId,
      createdAt: clock.now,
      provider: "oidc",
      email: claims.email,
    },
  });
  expect((await database.scan("users")).filter(({ email }) => email === claims.email)).toHaveLength(1);
});

test("X24 two identities with one address at once: one account, and the other is told that it is taken", async () => {
  const email = newEmail();
  const calls = await Promise.all(
    [newSub(), newSub()].map((sub) => returned("oidc", { sub, email, email_verified: true })),
  );
  const answers = await Promise.all(calls.map((call) => call()));
  const [first, second] = answers.toSorted((a, b) => a.statusCode - b.statusCode);
  expect(first?.statusCode).toBe(200);
  if (second) expectProblem(second, taken);
});

test("X25 a stranger has registered the address: neither gets at the other's account", async () => {
  const account = await service.addAccount();
  const claims = { sub: newSub(), email: account.email, email_verified: true };
  for (const provider of ["oidc", "google", "own", "microsoft"])
    expectProblem(
      await signIn(provider, { ...claims, email_verified: provider !== "microsoft" || undefined }),
      provider === "microsoft" ? notVerified : taken,
    );
  expect((await userOf(account.userId))?.identityIds).toBeUndefined();
  expect(await database.find("identities", { identity: identityOf(claims.sub) })).toBeUndefined();
});

test("X25 the same return, again, is told the same, and the code is not sent again", async () => {
  const { email } = await service.addAccount();
  const call = await returned("oidc", { sub: newSub(), email, email_verified: true });
  expectProblem(await call(), taken);
  const asked = odd.paths.length;
  expectProblem(await call(), taken);
  expect(odd.paths).toHaveLength(asked);
});

test.each([false, "true", "false", 0, undefined])(
  "X26 an address with email_verified %j makes no account",
  async (email_verified) => {
    const claims = { sub: newSub(), email: newEmail(), email_verified };
    expectProblem(await signIn("oidc", claims), notVerified);
    expectProblem(await signIn("google", claims), notVerified);
    expect(await database.find("identities", { identity: `email:${claims.email}` })).toBeUndefined();
  },
);

test.each([undefined, 7, "", "no address", "a@b@example.com", `${"x".repeat(300)}@example.com`])(
  "X26 no address, or none that is one (%j), makes no account",
  async (email) => {
    expectProblem(await signIn("oidc", { sub: newSub(), email, email_verified: true }), notVerified);
  },
);

test.each<[Claims, string, boolean]>([
  [{ xms_edov: true }, "example.com", true],
  [{ xms_edov: 1 }, "example.com", true],
  [{ xms_edov: "1" }, "example.com", true],
  [{ xms_edov: "0" }, "example.com", false],
  [{ xms_edov: true, email_verified: false }, "example.com", false],
  [{}, "example.com", false],
  [{}, "example.net", true],
  [{ email_verified: false }, "example.net", false],
])("X27 Microsoft says %j of an address at %s: it makes an account: %j", async (claims, domain, isMade) => {
  const response = await signIn("microsoft", { sub: newSub(), email: newEmail(domain), ...claims });
  if (isMade) expect(response.statusCode).toBe(200);
  else expectProblem(response, notVerified);
});

test.each<[string, string, Claims, boolean]>([
  ["google", "gmail.com", {}, true],
  ["google", "googlemail.com", {}, true],
  ["google", "example.com", { hd: "example.com" }, true],
  ["google", "example.com", { hd: "other.example" }, false],
  ["google", "example.com", {}, false],
  ["own", "example.org", {}, true],
  ["own", "example.com", {}, false],
  ["own", "sub.example.org", {}, false],
  ["oidc", "gmail.com", {}, false],
])(
  "X28 %s, and an account with a proven address at %s (%j): linked by it: %j",
  async (provider, domain, more, isLinked) => {
    const account = await registerProven(newEmail(domain));
    const claims = { sub: newSub(), email: account.email, email_verified: true, ...more };
    const response = await signIn(provider, claims);
    if (!isLinked) return expectProblem(response, taken);
    expect(subOf(response)).toBe(account.userId);
    expect(await userOf(account.userId)).toMatchObject({
      identityIds: new Set([identityOf(claims.sub)]),
      lastChange: { event: "identity_linked", by: "provider" },
    });
    expect(subOf(await signIn(provider, { sub: claims.sub }))).toBe(account.userId);
  },
);

test.each<[string, (userId: string) => Promise<unknown>]>([
  ["is not proven", (userId) => database.change("users", { userId }, { emailVerifiedAt: undefined })],
  ["is of an account with a second factor", (userId) => addFactor({ userId })],
  ["is of a disabled account", (userId) => database.change("users", { userId }, { disabledAt: clock.now })],
  [
    "is of an account with ten identities",
    (userId) => database.change("users", { userId }, { identityIds: new Set([..."0123456789"]) }),
  ],
])("X28 an address that %s is linked by nobody's word", async (_, prepare) => {
  const account = await registerProven(newEmail("gmail.com"));
  await prepare(account.userId);
  expectProblem(await signIn("google", { sub: newSub(), email: account.email, email_verified: true }), taken);
});

test.each<[string, (name: string) => string]>([
  ["a Kelvin sign", (name) => `\u212A${name.slice(1)}`],
  ["a full-width letter", (name) => `\uFF4B${name.slice(1)}`],
])(
  "X28 an address with %s has a normal form that the provider has not proven: no account is made or linked by it, and a known identity signs in",
  async (_, toName) => {
    const name = `k${randomUUID().slice(0, 8)}`;
    const [account, sub] = [await registerProven(`${name}@example.org`), newSub()];
    const claims = { sub, email: `${toName(name)}@example.org`, email_verified: true };
    expectProblem(await signIn("own", claims), notVerified);
    expect((await userOf(account.userId))?.identityIds).toBeUndefined();
    const known = subOf(await signIn("own", { sub, email: newEmail(), email_verified: true }));
    expect(subOf(await signIn("own", claims))).toBe(known);
  },
);

test("X28 an account whose address changes while it is linked is not linked", async () => {
  const account = await registerProven(newEmail("gmail.com"));
  const { userId } = account;
  const change = () => database.change("users", { userId }, { email: newEmail(), sessionEpoch: 1 });
  wire.break("TransactWriteItems users identities", precededBy(change));
  const response = await signIn("google", { sub: newSub(), email: account.email, email_verified: true });
  // The entry of the address counts no more: it is free.
  expect(subOf(response)).not.toBe(userId);
  expect((await userOf(userId))?.identityIds).toBeUndefined();
});

test("X29 an identity opens its account, whatever address it has now; the account keeps its own", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const userId = subOf(await signIn("oidc", claims));
  const other = await service.addAccount();
  for (const more of [
    { email: newEmail() },
    { email: other.email },
    { email: undefined },
    { email_verified: false },
  ])
    expect(subOf(await signIn("oidc", { ...claims, ...more }))).toBe(userId);
  expect((await userOf(userId))?.email).toBe(claims.email);
  // The same subject at another issuer is somebody else.
  expect(externalIdentity("https://other.example", claims.sub)).not.toBe(identityOf(claims.sub));
});

test("X30 an address has one form, as at a registration", async () => {
  const { email } = await service.addAccount();
  expectProblem(
    await signIn("oidc", { sub: newSub(), email: ` ${email.toUpperCase()}`, email_verified: true }),
    taken,
  );
});

test("X31 a disabled account is opened by nobody, nor does the provider's word make another one", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const userId = subOf(await signIn("oidc", claims));
  await database.change("users", { userId }, { disabledAt: clock.now });
  expectProblem(await signIn("oidc", claims), signInRefused);
  expect(log.entries().at(-1)).toMatchObject({ code: "sign_in_refused", reason: "account disabled" });
});

test("X31 with REGISTRATION=closed nobody makes an account, and whoever has one gets in", async () => {
  const closed = service.createSandbox({ ...settings, REGISTRATION: "closed" });
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  expectProblem(
    await signIn("oidc", claims, closed),
    refused(403, "registration_closed", "Nobody can register here. Ask the operator for an invitation."),
  );
  const userId = subOf(await signIn("oidc", claims));
  expect(subOf(await signIn("oidc", claims, closed))).toBe(userId);
});

test("X32 an account that a provider made has no password: a login with one is as one of nobody", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  await signIn("oidc", claims);
  const password = "a long and private sentence";
  const ask = async (email: string) => {
    wire.forget();
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    return wire.names.toSorted();
  };
  expect(await ask(claims.email)).toEqual(await ask(newEmail()));
});

test("X33 an account with a second factor is asked for its code, and the provider's code is not sent again", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const userId = subOf(await signIn("oidc", claims));
  const { codeAt } = await addFactor({ userId });
  const call = await returned("oidc", claims);
  expectProblem(await call(), refusals.secondFactorRequired);
  expectProblem(await call({ otp: "000000" }), refusals.invalidOtp);
  const asked = odd.paths.length;
  const otp = codeAt();
  const response = await call({ otp });
  expect(pairOf(response).claims).toMatchObject({ sub: userId, acr: "aal2", amr: ["otp", "mfa"] });
  expect(odd.paths).toHaveLength(asked);
  // The answer was lost: the same once more.
  expect((await call({ otp })).cookies).toEqual(response.cookies);
  // Used up.
  expectProblem(await (await returned("oidc", claims))({ otp }), refusals.usedOtp);
});

test("X33 codes of a second factor are counted as passwords are", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  await addFactor({ userId: subOf(await signIn("oidc", claims)) });
  const call = await returned("oidc", claims);
  for (let i = 0; i < 5; i++) expectProblem(await call({ otp: "000000" }), refusals.invalidOtp);
  expect((await call({ otp: "000000" })).statusCode).toBe(429);
  const told = (await database.scan("mails")).filter(({ email }) => email === claims.email);
  expect(told.map(({ notice }) => notice)).toContain("factorRefused");
});

test("a row of attempts that is forgotten, and not deleted yet, begins anew", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const { codeAt } = await addFactor({ userId: subOf(await signIn("oidc", claims)) });
  const call = await returned("oidc", claims);
  expectProblem(await call({ otp: "000000" }), refusals.invalidOtp);
  for (const { id, lastAttemptId } of await database.scan("attempts"))
    if (lastAttemptId !== undefined) await database.change("attempts", { id }, { expiresAt: clock.now });
  wire.forget();
  expect((await call({ otp: codeAt() })).statusCode).toBe(200);
  expect(wire.names).toContain("PutItem attempts");
});

test("X34 entries that count no more are written over: of an account that is gone, and of one that names them no more", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const before = subOf(await signIn("oidc", claims));
  // A first proof of the address took the identity away, and the address has changed since.
  await database.change("users", { userId: before }, { email: newEmail(), identityIds: undefined });
  const after = subOf(await signIn("oidc", claims));
  expect(after).not.toBe(before);
  await database.delete("users", { userId: after });
  const last = subOf(await signIn("oidc", claims));
  expect([before, after]).not.toContain(last);
  expect(subOf(await signIn("oidc", claims))).toBe(last);
});

test("X35 the owner proves the address by a reset: an identity that a stranger linked to it is gone", async () => {
  const account = await service.addAccount();
  const sub = newSub();
  // The stranger who registered has linked an identity.
  const identity = identityOf(sub);
  await database.put("identities", {
    identity,
    userId: account.userId,
    createdAt: clock.now,
    provider: "oidc",
  });
  await database.change("users", { userId: account.userId }, { identityIds: new Set([identity]) });
  expect(subOf(await signIn("oidc", { sub }))).toBe(account.userId);
  clock.advance(1);
  const code = await createCodesWithoutMail(service).mailCode("reset", account);
  clock.advance(1);
  const body = { ...code, newPassword: "a long and private sentence" };
  expect((await sandbox.resetPassword({ body })).statusCode).toBe(200);
  expectProblem(await signIn("oidc", { sub }), notVerified);
});

test.each<[string, () => void]>([
  ["the transaction's answer is lost", () => wire.break("TransactWriteItems", loseAnswer)],
  ["the transaction meets another", () => wire.break("TransactWriteItems", cancel("TransactionConflict"))],
  ["the session's put is not acknowledged", () => wire.break("PutItem sessions", loseAnswer)],
  ["the note that it is done is lost", () => wire.break("UpdateItem attempts", loseAnswer)],
])("X36 a first sign-in goes through although %s", async (_, trouble) => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const call = await returned("oidc", claims);
  trouble();
  const response = await call();
  expect(response.statusCode).toBe(200);
  const userId = subOf(response);
  expect((await database.find("identities", { identity: identityOf(claims.sub) }))?.userId).toBe(userId);
  wire.mend();
  const again = await call();
  expect(subOf(again)).toBe(userId);
});

test("X36 sessions that were all ended while somebody signs in: it begins again, once", async () => {
  const claims = { sub: newSub(), email: newEmail(), email_verified: true };
  const userId = subOf(await signIn("oidc", claims));
  const raise = () => database.change("users", { userId }, { sessionEpoch: 1 });
  wire.break("PutItem sessions", precededBy(raise));
  const response = await signIn("oidc", claims);
  expect(response.statusCode).toBe(200);
  expect(await service.findSession(pairOf(response))).toMatchObject({ sessionEpoch: 1 });
  expect(await userOf(userId)).toMatchObject({ sweptEpoch: 1 });
});
