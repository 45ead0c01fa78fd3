import { randomUUID } from "node:crypto";
import { TOTP } from "otpauth";
import { invite, openUsers } from "../build/users/commands.ts";
import { openStage } from "../build/users/stage.ts";
import { createOperatorChange, type Operator } from "../lib/auth/admin/operator.ts";
import { createSetRoles } from "../lib/auth/admin/set-roles.ts";
import { systemClock } from "../lib/clock.ts";
import type { ApiResponse } from "../lib/http/response.ts";
import { functionNames as declaredNames, pathOf } from "../tests/support/declared.ts";
import { challengeOf, createDeviceKey } from "../tests/support/device-key.ts";
import { type ClientRequest, createEvent, exampleRequest, type RouteName } from "../tests/support/event.ts";
import { createPasskey } from "../tests/support/passkey.ts";
import { call } from "./call.ts";
import { type FedName, receive, recordOf } from "./feeds.ts";
import { createCode } from "./provider-server.ts";

/** A function by its name, those included that have no route. */
export type FunctionName = RouteName | "authorizer" | FedName;

/** Every function of the service. */
export const functionNames = declaredNames as FunctionName[];

/** Makes the event of one call; some calls follow from the answer before. */
export type Request = (last?: ApiResponse) => Promise<unknown> | unknown;

/** The domain of passkeys: the host of the issuer (bench/stage.ts). */
export const rpId = "abcdefghij.execute-api.eu-central-1.amazonaws.com";
const password = "a long and private sentence";
const newPassword = "another long and private sentence";
const createAddress = () => `${randomUUID().slice(0, 13)}@example.com`;

/** Asks for a code, and finds it in the mail: the two halves that a confirming function takes. */
export async function askForCode(
  name: RouteName,
  email: string,
  request: ClientRequest = { body: { email } },
) {
  const { body = "" } = await call(name, request);
  return { challenge: JSON.parse(body).challenge as string, code: await receive(email) };
}

/** What confirms the change of an account's address, or proves its own. */
async function askToMove({ cookies }: { cookies: string[] }, newEmail = createAddress()) {
  const request = { cookies, body: { newEmail, password } };
  return { cookies, body: await askForCode("askEmailChange", newEmail, request) };
}

/** A new account, logged in: what it sends to log in, and the two cookies that it got. */
export async function openAccount() {
  const body = { email: createAddress(), password };
  await call("register", { body });
  return { body, ...(await logIn(body)) };
}

async function logIn(body: { email: string; password: string; otp?: string }) {
  const answer = await call("login", { body });
  const [cookie = "", deviceCookie = ""] = cookiesOf(answer);
  return { cookies: [cookie], deviceCookies: [deviceCookie] };
}

/** A new account whose address is proven, logged in: where mail is on, no other has a second factor. */
async function openProven() {
  const account = await openAccount();
  const { cookies, body } = account;
  await call("confirmEmailChange", await askToMove({ cookies }, body.email));
  return account;
}

/** What confirms an authenticator app. */
async function enrol(cookies: string[]) {
  const { body = "" } = await call("startTotp", { cookies });
  const { enrolment, secret } = JSON.parse(body);
  return { enrolment, otp: new TOTP({ secret }).generate() };
}

/** The cookies of a session that was opened with a second factor. */
async function openWithFactor(): Promise<string[]> {
  const { body, cookies } = await openProven();
  const confirmed = await call("confirmTotp", { cookies, body: await enrol(cookies) });
  const [otp] = JSON.parse(confirmed.body ?? "").recoveryCodes;
  return (await logIn({ ...body, otp })).cookies;
}

/** A session that a browser has bound to its key, and what it sends to renew it. */
async function renewByBrowser() {
  const { body } = await openAccount();
  const login = await call("login", { body });
  const cookies = cookiesOf(login).slice(0, 1);
  const key = createDeviceKey();
  const bound = await call("proveDevice", { cookies, headers: key.bind(challengeOf(login) ?? "") });
  return { cookies, headers: key.renew(challengeOf(bound) ?? "") };
}

/** A new account whose address is proven, and a passkey that is not added yet. */
async function openPasskeyAccount() {
  const account = await openAccount();
  const { email } = account.body;
  await call("confirmEmailChange", await askToMove(account, email));
  const passkey = createPasskey({ userId: userIdOf(account.cookies), rpId, origin: `https://${rpId}` });
  return { ...account, passkey };
}

async function createPasskeyBody(cookies: string[], passkey: ReturnType<typeof createPasskey>) {
  const { body = "" } = await call("beginPasskey", { cookies });
  return { passkey: passkey.create(JSON.parse(body).challenge) };
}

/** The same with the passkey added: what is sent to change it. */
async function openWithPasskey() {
  const { cookies, passkey } = await openPasskeyAccount();
  const { body = "" } = await call("addPasskey", {
    cookies,
    body: await createPasskeyBody(cookies, passkey),
  });
  const { passkeyId } = JSON.parse(body);
  return { cookies, pathParameters: { passkeyId: String(passkeyId) } };
}

/** The end of a sign-in at a provider, of somebody who has signed in there before. */
async function returnFromProvider(sub: string) {
  const pathParameters = { provider: "bench" };
  const begun = await call("beginExternal", { pathParameters });
  const { state, nonce } = JSON.parse(begun.body ?? "");
  const code = createCode({ sub, email: `${sub}@example.com`, nonce });
  return { pathParameters, cookies: cookiesOf(begun), body: { code, state } };
}

/** The end of a link of an identity. */
async function returnToLink(cookies: string[]) {
  const pathParameters = { provider: "bench" };
  const begun = await call("beginLink", { pathParameters, cookies });
  const { state, nonce } = JSON.parse(begun.body ?? "");
  const sub = randomUUID();
  const code = createCode({ sub, email: `${sub}@example.com`, nonce });
  return { pathParameters, cookies: [...cookies, ...cookiesOf(begun)], body: { code, state } };
}

/** What a browser sends back of an answer's cookies; before them stand lines that delete what it may have had. */
export function cookiesOf({ cookies = [] }: ApiResponse): string[] {
  return cookies.flatMap((line) => (line.includes("; Max-Age=0") ? [] : [line.split(";", 1)[0] ?? ""]));
}

/** As an operator reaches what the functions run on. */
const operated = {
  ...openStage({ stage: "test", region: "eu-central-1" }),
  findOperator: async () => "bench",
};

const bench: Operator = { by: "operator bench", requestId: "bench" };

/** The cookies of somebody with the role `admin`. */
async function openAdministrator(): Promise<string[]> {
  const { body, cookies } = await openAccount();
  await createSetRoles(openUsers(operated))(userIdOf(cookies), ["admin"], bench);
  return (await logIn(body)).cookies;
}

/** The usual call of each function, by somebody who has logged in before with this browser. */
export async function createRequests(): Promise<Record<FunctionName, Request>> {
  const { body, cookies } = await openAccount();
  // Another browser: each login ends the session that it had.
  const { deviceCookies } = await logIn(body);
  const asUser = (name: RouteName) => () => createEvent(name, exampleRequest(name, cookies));
  const admin = await openAdministrator();
  const ofAdmin = (name: RouteName) => async () => {
    const userId = userIdOf((await openAccount()).cookies);
    const change = createOperatorChange("user_updated", bench, systemClock());
    await openUsers(operated).audit.put(userId, change, change.at + 1_000);
    return createEvent(name, { ...exampleRequest(name, admin), pathParameters: { userId } });
  };
  const admins = Object.fromEntries(
    functionNames
      .filter((name) => pathOf(name).startsWith("functions/admin/"))
      .map((name) => [name, ofAdmin(name as RouteName)]),
  );
  const own: Partial<Record<FunctionName, Request>> = {
    register: () => createEvent("register", { body: { email: createAddress(), password } }),
    login: (last) => createEvent("login", { body, cookies: last ? cookiesOf(last).slice(1) : deviceCookies }),
    refresh: (last) => createEvent("refresh", { cookies: last ? cookiesOf(last) : cookies }),
    logout: async () => createEvent("logout", { cookies: (await logIn(body)).cookies }),
    authorizer: asUser("movies"),
    revokeSession: async () => {
      const { cookies: others } = await logIn(body);
      const pathParameters = { sessionId: sessionIdOf(others) };
      return createEvent("revokeSession", { cookies, pathParameters });
    },
    revokeAllSessions: async () =>
      createEvent("revokeAllSessions", { cookies: (await openAccount()).cookies }),
    changePassword: async () => {
      const account = await openAccount();
      return createEvent("changePassword", {
        cookies: [...account.cookies, ...account.deviceCookies],
        body: { currentPassword: password, newPassword },
      });
    },
    askEmailChange: async () => {
      const { cookies, deviceCookies } = await openAccount();
      const body = { newEmail: createAddress(), password };
      return createEvent("askEmailChange", { cookies: [...cookies, ...deviceCookies], body });
    },
    confirmEmailChange: async () => createEvent("confirmEmailChange", await askToMove(await openAccount())),
    undoEmailChange: async () => {
      const account = await openAccount();
      const { email } = account.body;
      // Only an address that is proven is told of the change.
      await call("confirmEmailChange", await askToMove(account, email));
      await call("confirmEmailChange", await askToMove(account));
      return createEvent("undoEmailChange", { body: { token: await receive(email), newPassword } });
    },
    acceptInvitation: async () => {
      const email = createAddress();
      await invite(operated, { email, language: "en" });
      return createEvent("acceptInvitation", { body: { token: await receive(email), password } });
    },
    startTotp: async () => createEvent("startTotp", { cookies: (await openProven()).cookies }),
    confirmTotp: async () => {
      const { cookies } = await openProven();
      return createEvent("confirmTotp", { cookies, body: await enrol(cookies) });
    },
    disableTotp: async () => createEvent("disableTotp", { cookies: await openWithFactor() }),
    renewRecoveryCodes: async () => createEvent("renewRecoveryCodes", { cookies: await openWithFactor() }),
    deleteAccount: async () => {
      const account = await openAccount();
      return createEvent("deleteAccount", {
        cookies: [...account.cookies, ...account.deviceCookies],
        body: { password },
      });
    },
    events: async () => {
      const { email } = (await openAccount()).body;
      const body = { ...(await askForCode("forgotPassword", email)), newPassword };
      return recordOf("events", () => call("resetPassword", { body }));
    },
    confirmRegistration: async () => {
      const proof = await askForCode("askRegistration", createAddress());
      return createEvent("confirmRegistration", { body: { ...proof, password } });
    },
    confirmLoginCode: async () => {
      const { body } = await openAccount();
      // The first proof of an address ends every session: what is usual comes after it.
      const first = await askForCode("askLoginCode", body.email);
      const answer = await call("confirmLoginCode", { body: first });
      const proof = await askForCode("askLoginCode", body.email);
      return createEvent("confirmLoginCode", { body: proof, cookies: cookiesOf(answer).slice(1) });
    },
    proveDevice: async () => createEvent("proveDevice", await renewByBrowser()),
    beginPasskey: async () => createEvent("beginPasskey", { cookies: (await openPasskeyAccount()).cookies }),
    addPasskey: async () => {
      const { cookies, passkey } = await openPasskeyAccount();
      return createEvent("addPasskey", { cookies, body: await createPasskeyBody(cookies, passkey) });
    },
    renamePasskey: async () => {
      const { cookies, pathParameters } = await openWithPasskey();
      return createEvent("renamePasskey", { cookies, pathParameters, body: { name: "Phone" } });
    },
    removePasskey: async () => createEvent("removePasskey", await openWithPasskey()),
    beginExternal: () => createEvent("beginExternal", { pathParameters: { provider: "bench" } }),
    formExternal: () =>
      createEvent("formExternal", {
        ...exampleRequest("formExternal", []),
        pathParameters: { provider: "apple" },
      }),
    finishExternal: async () => {
      const sub = randomUUID().slice(0, 13);
      const [, device = ""] = cookiesOf(await call("finishExternal", await returnFromProvider(sub)));
      const request = await returnFromProvider(sub);
      return createEvent("finishExternal", { ...request, cookies: [...request.cookies, device] });
    },
    beginLink: async () => {
      const { cookies } = await openProven();
      return createEvent("beginLink", { pathParameters: { provider: "bench" }, cookies });
    },
    linkIdentity: async () => {
      const { cookies } = await openProven();
      return createEvent("linkIdentity", await returnToLink(cookies));
    },
    unlinkIdentity: async () => {
      const { cookies } = await openProven();
      const { body = "" } = await call("linkIdentity", await returnToLink(cookies));
      return createEvent("unlinkIdentity", {
        cookies,
        pathParameters: { identityId: JSON.parse(body).identityId },
      });
    },
    ...admins,
    askRegistration: () => createEvent("askRegistration", { body: { email: createAddress() } }),
    askLoginCode: () => createEvent("askLoginCode", { body: { email: createAddress() } }),
    forgotPassword: () => createEvent("forgotPassword", { body: { email: createAddress() } }),
    resetPassword: async () => {
      const { email } = (await openAccount()).body;
      return createEvent("resetPassword", {
        body: { ...(await askForCode("forgotPassword", email)), newPassword },
      });
    },
    mail: async () => {
      const email = createAddress();
      await call("register", { body: { email, password } });
      return recordOf("mail", () => call("forgotPassword", { body: { email } }));
    },
  };
  // Whatever needs no more than a user.
  const others = functionNames.filter((name) => !(name in own)) as RouteName[];
  return { ...Object.fromEntries(others.map((name) => [name, asUser(name)])), ...own } as Record<
    FunctionName,
    Request
  >;
}

/** The access token in an auth cookie. */
export function tokenOf([cookie = ""]: string[]): string {
  return JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token;
}

const sessionIdOf = (cookies: string[]): string => claimsOf(cookies).sid;
const userIdOf = (cookies: string[]): string => claimsOf(cookies).sub;

function claimsOf(cookies: string[]): { sid: string; sub: string } {
  const [, claims = ""] = tokenOf(cookies).split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString());
}
