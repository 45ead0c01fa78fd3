import { beforeEach, describe, expect, test } from "@jest/globals";
import type { BeginOptions } from "../../client/sign-in.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { keepSecrets } from "../support/log.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { createBrowser, loseAnswer, loseRequest, refuse, type Tab } from "./browser.ts";
import { browser, createStore, expectSignedIn, openSession, service } from "./setup.ts";

const odd = await startOddProvider();
const addFactor = createAuthenticators(service);
const origin = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const redirectUri = `${origin}/signed-in/odd`;
/** With a member of a name that providers add, too. */
const promptUri = `${origin}/back?prompt=x`;
const api = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    {
      id: "odd",
      name: "Odd",
      clientId: "web",
      redirectUris: [redirectUri, promptUri],
      ...odd.endpoints,
      nativeClientIds: ["ios"],
    },
    { id: "other", clientId: "web", redirectUris: [`${origin}/signed-in/other?of=other`], ...odd.endpoints },
  ]),
  PROVIDER_KEYS:
    '{"odd":{"clientSecret":"a-client-secret-of-odd"},"other":{"clientSecret":"another-of-other"}}',
});
beforeEach(() => browser.moveTo(api));

let users = 0;
const someone = (): Claims => ({
  sub: `user-${++users}`,
  email: `user-${users}@example.com`,
  email_verified: true,
});

/** Begins in a tab; gives the path that the provider would open when it has seen that user. */
async function begin(
  tab: Tab,
  claims: Claims = someone(),
  {
    as = "signInWith",
    provider = "odd",
    page,
  }: { as?: "signInWith" | "linkWith"; provider?: string; page?: string } = {},
) {
  const { promise, resolve } = Promise.withResolvers<URL>();
  const options: BeginOptions = { open: (url) => resolve(new URL(url)), ...(page && { redirectUri: page }) };
  await tab.signIn[as](provider, options);
  const { searchParams } = await promise;
  const [state, nonce, redirect] = ["state", "nonce", "redirect_uri"].map(
    (name) => searchParams.get(name) ?? "",
  );
  const code = odd.createCode(odd.claims(nonce as string, claims));
  keepSecrets(code);
  const url = new URL(page ?? (redirect as string));
  for (const [name, value] of Object.entries({ code, state, scope: "openid", iss: odd.issuer }))
    url.searchParams.set(name, value as string);
  return url.pathname + url.search;
}

describe.each([
  ["a browser, whose page was left meanwhile", undefined],
  ["a bearer client that stays where it is", createStore],
])("%s", (_who, createTokens) => {
  const open = () => browser.openTab(createTokens ? { tokens: createTokens() } : {});
  /** Comes back: to a page of the browser, or to the same client by a link that its system opens. */
  const come = async (tab: Tab, path: string) => {
    if (createTokens)
      return { ...tab, finish: (otp = {}) => tab.signIn.finishSignIn({ url: origin + path, ...otp }) };
    const back = await browser.openTab({ path });
    return { ...back, finish: (otp = {}) => back.signIn.finishSignIn(otp) };
  };

  test("lists the providers, and signs in; twice at once is once, and later there is nothing left to do", async () => {
    const tab = await open();
    expect(await tab.signIn.providers()).toEqual([
      { id: "odd", name: "Odd" },
      { id: "other", name: "other" },
    ]);
    const claims = someone();
    const back = await come(tab, await begin(tab, claims));
    browser.forget();
    const [first, second] = await Promise.all([back.finish(), back.finish()]);
    expect([first, second]).toEqual([{ provider: "odd" }, { provider: "odd" }]);
    expect(browser.names).toEqual(["POST /auth/external/odd/finish 200"]);
    expect(await back.auth.me()).toMatchObject({ email: claims.email });
    expect(await back.finish()).toBeUndefined();
    await expectSignedIn(back);
    await back.auth.refresh();
  });

  test("X08 an answer that is lost comes again: one session, and the code is redeemed once", async () => {
    const tab = await open();
    const back = await come(tab, await begin(tab));
    browser.break("POST /auth/external", loseAnswer);
    browser.break("POST /auth/external", loseRequest);
    expect(await browser.patiently(back.finish())).toEqual({ provider: "odd" });
    const { sub } = await back.auth.me();
    expect(await service.database.sessionsOf(sub)).toHaveLength(1);
    expect(odd.paths.filter((path) => path === "/token")).toHaveLength(1);
    clock.advance(100);
    await back.auth.refresh();
  });

  test("where the API is away for long, or a code is asked for, it goes on later", async () => {
    const tab = await open();
    const claims = someone();
    const first = await come(tab, await begin(tab, claims));
    browser.break("POST /auth/external", refuse(503, { "retry-after": "1" }), { times: 3 });
    await expect(browser.patiently(first.finish())).rejects.toMatchObject({ status: 503 });
    await first.finish();
    const { sub: userId } = await first.auth.me();
    const app = await addFactor({ userId });
    await first.auth.logout();
    const again = await come(first, await begin(first, claims));
    await expect(again.finish()).rejects.toMatchObject({ code: "second_factor_required" });
    await expect(again.finish({ otp: "000000" })).rejects.toMatchObject({ code: "invalid_otp" });
    await again.finish({ otp: app.codeAt() });
    expect(await again.auth.me()).toMatchObject({ sub: userId, acr: "aal2" });
  });

  test("links an identity, lists it, and removes it", async () => {
    const owner = await service.register();
    await service.database.change("users", { userId: owner.userId }, { emailVerifiedAt: 1 });
    const [tab] = await openSession({ as: owner, ...(createTokens && { tokens: createTokens() }) });
    const back = await come(tab, await begin(tab, someone(), { as: "linkWith" }));
    browser.break("POST /auth/identities/odd/finish", loseAnswer);
    const finished = await browser.patiently(back.finish());
    const identities = await back.signIn.identities();
    expect(finished).toEqual({ provider: "odd", linked: identities[0] });
    expect(identities).toEqual([
      expect.objectContaining({ provider: "odd", email: `user-${users}@example.com` }),
    ]);
    await back.signIn.unlink(identities[0]?.identityId ?? "");
    expect(await back.signIn.identities()).toEqual([]);
    await expectSignedIn(back);
  });
});

describe("what is over before anything is asked", () => {
  /** A browser where a sign-in was begun, and the path that leads back. */
  const beginHere = async () => ({ path: await begin(await browser.openTab()) });
  const open = async (path: string, where = browser) => {
    where.forget();
    const tab = await where.openTab({ path });
    const finished = await tab.signIn.finishSignIn().catch((error) => error.code);
    // The address bar has nothing of it, whatever becomes of it.
    expect(tab.history).toEqual([expect.stringMatching(/^https:[^?]+\/(signed-in\/\w+|app\?lang=en)$/)]);
    return finished;
  };

  test.each<[what: string, change: (path: string) => string, code: string | undefined]>([
    ["a page that was opened without", () => "/app?lang=en", undefined],
    ["X07 Q04 a state of elsewhere", (path) => path.replace("state=", "state=_"), "sign_in_over"],
    ["Q01 Q04 the page of another provider", (path) => path.replace("/odd", "/other"), "sign_in_over"],
    [
      "Q02 Q04 a provider that refuses",
      (path) => path.replace(/code=[^&]+/, "error=access_denied"),
      "sign_in_cancelled",
    ],
    ["Q02 one that refuses and accepts", (path) => `${path}&error=access_denied`, "sign_in_cancelled"],
  ])("%s", async (_what, change, code) => {
    const { path } = await beginHere();
    expect(await open(change(path))).toBe(code);
    expect(browser.names).toEqual([]);
  });

  test("X05 more than ten minutes", async () => {
    const { path } = await beginHere();
    clock.advance(601);
    expect(await open(path)).toBe("sign_in_over");
    expect(browser.names).toEqual([]);
  });

  test("X07 Q04 a return address in another browser: nobody is signed in there, and its owner still is here", async () => {
    const { path } = await beginHere();
    const thief = createBrowser(api);
    expect(await open(path, thief)).toBe("sign_in_over");
    expect(thief.names).toEqual([]);
    expect(await open(path)).toEqual({ provider: "odd" });
  });

  test("Q03 what was done here already: nothing is said, and nothing asked", async () => {
    const { path } = await beginHere();
    await open(path);
    expect(await open(path)).toBeUndefined();
    expect(browser.names).toEqual([]);
  });
});

test("X03 two tabs that begin at once each end what they began", async () => {
  const tabs = [await browser.openTab(), await browser.openTab()];
  const paths = [await begin(tabs[0] as Tab), await begin(tabs[1] as Tab, someone(), { provider: "other" })];
  const ended = [];
  for (const path of paths) {
    const tab = await browser.openTab({ path });
    ended.push(await tab.signIn.finishSignIn());
    expect(tab.history.at(-1)).toMatch(/\/signed-in\/(odd|other\?of=other)$/);
  }
  expect(ended).toEqual([{ provider: "odd" }, { provider: "other" }]);
});

test("Q04 a page whose address has a member that providers add, too: it counts, and is taken off", async () => {
  const path = await begin(await browser.openTab(), someone(), { page: promptUri });
  const elsewhere = await browser.openTab({ path: path.replace("prompt=x", "prompt=y") });
  await expect(elsewhere.signIn.finishSignIn()).rejects.toMatchObject({ code: "sign_in_over" });
  const tab = await browser.openTab({ path: `${path}&prompt=consent` });
  expect(await tab.signIn.finishSignIn()).toEqual({ provider: "odd" });
  expect(tab.history.at(-1)).toBe(`${origin}/back`);
});

test("what the API refuses is over: the same page has nothing left to end", async () => {
  const path = await begin(await browser.openTab(), { ...someone(), email_verified: false });
  const back = await browser.openTab({ path });
  await expect(back.signIn.finishSignIn()).rejects.toMatchObject({ code: "email_not_verified" });
  expect(await back.signIn.finishSignIn()).toBeUndefined();
});

test("a bearer client whose first request is lost, or that is refused, gets an AuthError", async () => {
  const tab = await browser.openTab({ tokens: createStore() });
  browser.break("POST /auth/external/odd", loseRequest);
  await expect(begin(tab)).rejects.toMatchObject({ code: "network_error" });
  await expect(begin(tab, someone(), { provider: "none" })).rejects.toMatchObject({
    status: 404,
    code: "not_found",
  });
});

test.each([
  ["a browser with One Tap", undefined],
  ["an app", createStore],
])(
  "%s signs in with the ID token of the provider's SDK; where a code is asked for, with the same one",
  async (_who, createTokens) => {
    const tab = await browser.openTab(createTokens ? { tokens: createTokens() } : {});
    const claims = someone();
    let asked = 0;
    const getIdToken = async (nonce: string) => {
      asked++;
      return odd.sign({ ...odd.claims(nonce, claims), aud: "ios" });
    };
    await tab.signIn.signInWithIdToken("odd", getIdToken);
    const { sub: userId } = await tab.auth.me();
    const app = await addFactor({ userId });
    await tab.auth.logout();
    await expect(tab.signIn.signInWithIdToken("odd", getIdToken)).rejects.toMatchObject({
      code: "second_factor_required",
    });
    await tab.signIn.signInWithIdToken("odd", getIdToken, { otp: app.codeAt() });
    expect(asked).toBe(2);
    await expectSignedIn(tab);
  },
);

test.each<[what: string, stop: (userId: string) => unknown]>([
  ["is asked for a code", (userId) => addFactor({ userId })],
  [
    "meets an API that is away",
    () => browser.break("POST /auth/external/odd/finish", refuse(503, { "retry-after": "60" })),
  ],
])("the ID token of somebody who %s is not sent for whoever comes next", async (_who, stop) => {
  const tab = await browser.openTab();
  const [first, second] = [someone(), someone()];
  const tokenOf = (claims: Claims) => async (nonce: string) =>
    odd.sign({ ...odd.claims(nonce, claims), aud: "ios" });
  await tab.signIn.signInWithIdToken("odd", tokenOf(first));
  const { sub } = await tab.auth.me();
  await tab.auth.logout();
  await stop(sub);
  await expect(tab.signIn.signInWithIdToken("odd", tokenOf(first))).rejects.toThrow();
  await tab.signIn.signInWithIdToken("odd", tokenOf(second));
  expect(await tab.auth.me()).toMatchObject({ email: second.email });
});

test("a provider that posts a form to the API leads on to the page that was named, and to no other", async () => {
  const page = `${origin}/signed-in/posting`;
  const provider = {
    ...{ id: "posting", clientId: "web", ...odd.endpoints, responseMode: "form_post", page },
    redirectUris: [`${origin}/auth/external/posting/form`],
  };
  const posting = service.createSandbox({
    IDENTITY_PROVIDERS: JSON.stringify([provider]),
    PROVIDER_KEYS: '{"posting":{"clientSecret":"a-client-secret-of-posting"}}',
  });
  browser.moveTo(posting);
  const path = await begin(await browser.openTab(), someone(), { provider: "posting", page });
  const elsewhere = await browser.openTab({ path: path.replace("/signed-in/posting", "/signed-in/odd") });
  await expect(elsewhere.signIn.finishSignIn()).rejects.toMatchObject({ code: "sign_in_over" });
  const back = await browser.openTab({ path });
  expect(await back.signIn.finishSignIn()).toEqual({ provider: "posting" });

  const asked = begin(await browser.openTab(), someone(), { provider: "posting" });
  const unnamed = (await asked).replace("/auth/external/posting/form", "/signed-in/posting");
  const tab = await browser.openTab({ path: unnamed });
  expect(await tab.signIn.finishSignIn()).toEqual({ provider: "posting" });
});
