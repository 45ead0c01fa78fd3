import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { codeOf, createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { permissions } from "../support/declared.ts";
import { createSignIns } from "../support/external.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { refuse, startSecretsManager } from "../support/secrets-manager.ts";
import { startService } from "../support/service.ts";

// The keys that second factors are derived from, in the secret in which a deployment has them.

const service = await startService();
const { sandbox, database } = service;
const mailbox = await startMailbox(service);
const addFactor = createAuthenticators(service);
const secrets = await startSecretsManager();
beforeEach(() => secrets.mend());
afterAll(() => secrets.stop());
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secrets.endpoint;
const newPassword = "another private sentence";
keepSecrets(newPassword);

const odd = await startOddProvider();
const provider = {
  id: "oidc",
  clientId: "web",
  redirectUris: ["https://app.example.com/oidc"],
  ...odd.endpoints,
};
const providers = {
  IDENTITY_PROVIDERS: JSON.stringify([provider]),
  PROVIDER_KEYS: JSON.stringify({ oidc: { clientSecret: "secret-of-oidc" } }),
};

const factorKeys = JSON.parse(service.environment.FACTOR_KEYS ?? "");
function createSandbox() {
  const secretId = `${randomUUID()}-factor-keys`;
  secrets.put(secretId, JSON.stringify(factorKeys));
  return service.createSandbox({ ...providers, FACTOR_KEYS: "", FACTOR_KEYS_SECRET: secretId });
}

test("O22 that cannot be read: a 503 to whoever comes with a code, and no session; nobody else notices", async () => {
  const { account, codeAt } = await createCaller();
  const other = createSandbox();
  const { email, password, userId } = account;
  const logIn = (otp?: string) => other.login({ body: { email, password, ...(otp && { otp }) } });
  secrets.break("GetSecretValue factor-keys", refuse("AccessDeniedException"), { times: 9 });
  const sessions = await database.sessionsOf(userId);
  expectProblem(await logIn(codeAt()), refusals.unavailable);
  expect(await database.sessionsOf(userId)).toEqual(sessions);
  expectProblem(await logIn(), refusals.secondFactorRequired);
  await service.logIn({ as: other });
  secrets.mend();
  expect((await logIn(codeAt())).statusCode).toBe(200);
});

test("are read when a code comes, and not before", async () => {
  const { account, codeAt } = await createCaller();
  const other = createSandbox();
  const { email, password } = account;
  await service.logIn({ as: other });
  await other.login({ body: { email, password } });
  expect(secrets.names).toEqual([]);
  await other.login({ body: { email, password, otp: codeAt() } });
  expect(secrets.names).toEqual(["GetSecretValue factor-keys"]);
});

test("a factor outlives its key's replacement, which those of later have", async () => {
  const { account, codeAt } = await createCaller();
  const [first] = factorKeys.keys;
  const next = {
    ...first,
    kid: "next",
    k: Buffer.alloc(32, 7).toString("base64url"),
    activeFrom: clock.now + 1,
  };
  const { email, password } = account;
  const FACTOR_KEYS = JSON.stringify({ keys: [next, first] });
  clock.advance(60);
  const other = service.createSandbox({ FACTOR_KEYS });
  expect((await other.login({ body: { email, password, otp: codeAt() } })).statusCode).toBe(200);
  const later = await createAuthenticators({ database, environment: { FACTOR_KEYS } })(account);
  expectProblem(
    await sandbox.login({ body: { email, password, otp: later.codeAt(1) } }),
    refusals.invalidOtp,
  );
  expect((await other.login({ body: { email, password, otp: later.codeAt(1) } })).statusCode).toBe(200);
});

async function createCaller() {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: 1 });
  const { cookies } = await service.logIn({ account });
  return { account, cookies, ...(await addFactor(account)) };
}
type Caller = Awaited<ReturnType<typeof createCaller>>;

/** A session that was opened with a code. */
async function openWithFactor({ account: { email, password }, recoveryCodes }: Caller) {
  return pairOf(await sandbox.login({ body: { email, password, otp: recoveryCodes[9] } }));
}

async function receive(name: "askLoginCode" | "forgotPassword", email: string) {
  const { challenge } = bodyOf(await mailbox.sandbox[name]({ body: { email } }));
  return { challenge, code: await mailbox.receiveCode(email) };
}

/** A sign-in at the provider, and its end. */
async function signIn(as: typeof sandbox, claims: Claims, more: object = {}): Promise<ApiResponse> {
  const { begin, finish } = createSignIns(as, "oidc");
  const begun = await begin();
  return finish(begun, { code: odd.createCode(odd.claims(begun.nonce, claims)), ...more });
}

/** What of each function needs the keys. */
const calls: Record<string, (by: Caller, as: typeof sandbox) => Promise<ApiResponse>> = {
  login: ({ account: { email, password }, codeAt }, as) =>
    as.login({ body: { email, password, otp: codeAt() } }),
  changePassword: ({ account: { password }, cookies, codeAt }, as) =>
    as.changePassword({ cookies, body: { currentPassword: password, newPassword, otp: codeAt() } }),
  askEmailChange: ({ account: { email, password }, cookies, codeAt }, as) =>
    as.askEmailChange({ cookies, body: { newEmail: `new.${email}`, password, otp: codeAt() } }),
  deleteAccount: ({ account: { password }, cookies, codeAt }, as) =>
    as.deleteAccount({ cookies, body: { password, otp: codeAt() } }),
  async confirmLoginCode({ account: { email }, codeAt }, as) {
    const proof = await receive("askLoginCode", email);
    return as.confirmLoginCode({ body: { ...proof, otp: codeAt() } });
  },
  async resetPassword({ account: { email, userId }, codeAt }, as) {
    await database.change("users", { userId }, { emailVerifiedAt: undefined });
    const proof = await receive("forgotPassword", email);
    return as.resetPassword({ body: { ...proof, newPassword, otp: codeAt() } });
  },
  async finishExternal(_, as) {
    const claims = { sub: randomUUID(), email: `${randomUUID()}@example.com`, email_verified: true };
    const { sub: userId } = pairOf(await signIn(service.createSandbox(providers), claims)).claims;
    const { codeAt } = await addFactor({ userId });
    return signIn(as, claims, { otp: codeAt() });
  },
  startTotp: async (by, as) => as.startTotp({ cookies: (await openWithFactor(by)).cookies }),
  async confirmTotp(by, as) {
    const { cookies } = await openWithFactor(by);
    const { enrolment, secret } = bodyOf(await sandbox.startTotp({ cookies }));
    return as.confirmTotp({ cookies, body: { enrolment, otp: codeOf(secret) } });
  },
  renewRecoveryCodes: async (by, as) =>
    as.renewRecoveryCodes({ cookies: (await openWithFactor(by)).cookies }),
};

test("every function that may read them is among these", () => {
  const readers = Object.entries(permissions).filter(([, each]) =>
    each.includes("GetSecretValue factor-keys"),
  );
  expect(Object.keys(calls).sort()).toEqual(readers.map(([name]) => name).sort());
});

test.each(Object.entries(calls))("%s reads them when it needs them, once", async (_, call) => {
  const response = await call(await createCaller(), createSandbox());
  expect(response.statusCode).toBeLessThan(300);
  expect(secrets.names).toEqual(["GetSecretValue factor-keys"]);
});
