import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ApiResponse } from "../lib/http/response.ts";
import { type ClientRequest, createEvent, type RouteName, routeNames } from "../tests/support/event.ts";
import { bundleOf } from "./bundle-paths.ts";

/** A function by its file, the authorizer included: it has no route. */
export type FunctionName = RouteName | "authorizer";

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

/** What a browser sends back of an answer's cookies. */
export function cookiesOf({ cookies = [] }: ApiResponse): string[] {
  return cookies.map((line) => line.split(";", 1)[0] ?? "");
}

/** The usual call of each function, by somebody who has logged in before with this browser. */
export async function createRequests(): Promise<Record<FunctionName, Request>> {
  const { body, cookies, deviceCookies } = await openAccount();
  const asUser = (name: RouteName) => () => createEvent(name, { cookies });
  const anonymous = (name: RouteName) => () => createEvent(name);
  return {
    register: () =>
      createEvent("register", { body: { email: `${randomUUID().slice(0, 13)}@example.com`, password } }),
    login: (last) => createEvent("login", { body, cookies: last ? cookiesOf(last).slice(1) : deviceCookies }),
    refresh: (last) => createEvent("refresh", { cookies: last ? cookiesOf(last) : cookies }),
    logout: async () => createEvent("logout", { cookies: (await logIn(body)).cookies }),
    movies: asUser("movies"),
    me: asUser("me"),
    authorizer: asUser("movies"),
    listSessions: asUser("listSessions"),
    revokeSession: async () => {
      const { cookies: others } = await logIn(body);
      const pathParameters = { sessionId: sessionIdOf(others) };
      return createEvent("revokeSession", { cookies, pathParameters });
    },
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
    exportAccount: asUser("exportAccount"),
    deleteAccount: async () => {
      const account = await openAccount();
      return createEvent("deleteAccount", {
        cookies: [...account.cookies, ...account.deviceCookies],
        body: { password },
      });
    },
    jwks: anonymous("jwks"),
    discovery: anonymous("discovery"),
    openapi: anonymous("openapi"),
    page: anonymous("page"),
    notFound: anonymous("notFound"),
  };
}

/** The access token in an auth cookie. */
export function tokenOf([cookie = ""]: string[]): string {
  return JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token;
}

function sessionIdOf(cookies: string[]): string {
  const [, claims = ""] = tokenOf(cookies).split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()).sid;
}

/** Every function of the service. */
export const functionNames = [...routeNames, "authorizer"] as FunctionName[];
