import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { marshall } from "@aws-sdk/util-dynamodb";
import { systemClock } from "../lib/clock.ts";
import type { ApiResponse } from "../lib/http/response.ts";
import { functionNames as declaredNames } from "../tests/support/declared.ts";
import { type ClientRequest, createEvent, exampleRequest, type RouteName } from "../tests/support/event.ts";
import { bundleOf } from "./bundle-paths.ts";

/** A function by its name, those included that have no route. */
export type FunctionName = RouteName | "authorizer" | "events" | "mail";

/** Every function of the service. */
export const functionNames = declaredNames as FunctionName[];

/** Makes the event of one call; some calls follow from the answer before. */
export type Request = (last?: ApiResponse) => Promise<unknown> | unknown;

const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 10_000 };
const password = "a long and private sentence";

/** What Lambda would call. Its environment is this process's own. */
export async function loadHandler(bundle: string): Promise<(event: unknown) => Promise<ApiResponse>> {
  const module = await import(pathToFileURL(resolve(bundle)).href);
  return (event) => module.handler(event, context);
}

/** Calls a function in this process. Throws Error for any other answer than a success. */
export async function call(name: RouteName, request?: ClientRequest): Promise<ApiResponse> {
  const response = await (await loadHandler(bundleOf(name)))(createEvent(name, request));
  if (response.statusCode < 300) return response;
  throw new Error(`${name} answered ${response.statusCode} ${response.body}`);
}

/** A new account, logged in: what it sends to log in, and the two cookies that it got. */
export async function openAccount() {
  const body = { email: `${randomUUID().slice(0, 13)}@example.com`, password };
  await call("register", { body });
  return { body, ...(await logIn(body)) };
}

async function logIn(body: { email: string; password: string }) {
  const answer = await call("login", { body });
  const [cookie = "", deviceCookie = ""] = cookiesOf(answer);
  return { cookies: [cookie], deviceCookies: [deviceCookie] };
}

/** What a browser sends back of an answer's cookies; before them stand lines that delete what it may have had. */
export function cookiesOf({ cookies = [] }: ApiResponse): string[] {
  return cookies.flatMap((line) => (line.includes("; Max-Age=0") ? [] : [line.split(";", 1)[0] ?? ""]));
}

/** The usual call of each function, by somebody who has logged in before with this browser. */
export async function createRequests(): Promise<Record<FunctionName, Request>> {
  const { body, cookies } = await openAccount();
  // Another browser: each login ends the session that it had.
  const { deviceCookies } = await logIn(body);
  const asUser = (name: RouteName) => () => createEvent(name, exampleRequest(name, cookies));
  const own: Partial<Record<FunctionName, Request>> = {
    register: () =>
      createEvent("register", { body: { email: `${randomUUID().slice(0, 13)}@example.com`, password } }),
    login: (last) => createEvent("login", { body, cookies: last ? cookiesOf(last).slice(1) : deviceCookies }),
    refresh: (last) => createEvent("refresh", { cookies: last ? cookiesOf(last) : cookies }),
    logout: async () => createEvent("logout", { cookies: (await logIn(body)).cookies }),
    authorizer: asUser("movies"),
    revokeSession: async () => {
      const { cookies: others } = await logIn(body);
      const pathParameters = { sessionId: sessionIdOf(others) };
      return createEvent("revokeSession", { cookies, pathParameters });
    },
    mail: async () => ({ Records: [await recordOfMail((await openAccount()).body.email)] }),
    events: () => ({ Records: [recordOfChange()] }),
    revokeAllSessions: async () =>
      createEvent("revokeAllSessions", { cookies: (await openAccount()).cookies }),
    changePassword: async () => {
      const account = await openAccount();
      const newPassword = "another long and private sentence";
      return createEvent("changePassword", {
        cookies: [...account.cookies, ...account.deviceCookies],
        body: { currentPassword: password, newPassword },
      });
    },
    deleteAccount: async () => {
      const account = await openAccount();
      return createEvent("deleteAccount", {
        cookies: [...account.cookies, ...account.deviceCookies],
        body: { password },
      });
    },
  };
  // Whatever needs no more than a user.
  const others = functionNames.filter((name) => !(name in own)) as RouteName[];
  return { ...Object.fromEntries(others.map((name) => [name, asUser(name)])), ...own } as Record<
    FunctionName,
    Request
  >;
}

/** What the stream of mails tells of one that was just asked for. */
async function recordOfMail(email: string) {
  const answer = await call("forgotPassword", { body: { email } });
  const [id] = JSON.parse(answer.body ?? "").challenge.split(".");
  const createdAt = systemClock();
  const times = { createdAt, validUntil: createdAt + 3_600, expiresAt: createdAt + 604_800 };
  const mail = { id, kind: "reset", email, language: "en", device: "Chrome on Windows", ...times };
  return {
    eventName: "INSERT",
    dynamodb: { Keys: marshall({ id }), NewImage: marshall(mail), SequenceNumber: "1" },
  };
}

/** What the users' stream tells of a new password. */
function recordOfChange() {
  const [userId, at] = [randomUUID(), systemClock()];
  const change = { id: randomUUID(), event: "authn_password_change", by: "user", at, requestId: "bench" };
  const user = { userId, email: "ada@example.com", emailVerifiedAt: at, lastChange: change };
  const Keys = marshall({ userId });
  return { eventName: "MODIFY", dynamodb: { Keys, NewImage: marshall(user), SequenceNumber: "1" } };
}

/** The access token in an auth cookie. */
export function tokenOf([cookie = ""]: string[]): string {
  return JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token;
}

function sessionIdOf(cookies: string[]): string {
  const [, claims = ""] = tokenOf(cookies).split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()).sid;
}
