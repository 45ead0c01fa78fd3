import "./mail-link.ts"; // the first
import { createAccountClient } from "../client/account.ts";
import {
  type Account,
  AuthError,
  type Claims,
  createAuthClient,
  type ListedSession,
} from "../client/auth-client.ts";
import { createFactorClient } from "../client/factors.ts";
import { createPasskeyClient } from "../client/passkeys.ts";
import { createSignInClient } from "../client/sign-in.ts";
import { find } from "./elements.ts";
import { hasEnded, maybeSignedIn, rememberEnd, rememberSignedIn } from "./ended.ts";
import { closeParts, setUpFactor, showFactor, showNoFactor } from "./factor.ts";
import {
  addToggles,
  clearForms,
  hintAtPasswords,
  isRecoveryCode,
  onClick,
  onSubmit,
  otpOf,
  type Values,
} from "./form.ts";
import { closeMail, setUpMail } from "./mail.ts";
import { ended, explain, forgetCalls, noteCall, say, takeBackUnreachable } from "./notice.ts";
import { setUpPasskeys } from "./passkeys.ts";
import { isHere, root } from "./routes.ts";
import { showNoSessions, showSessions } from "./sessions.ts";
import { setUpSignIn } from "./sign-in.ts";
import { closeStepUp, setUpStepUp } from "./step-up.ts";
import { setClock, showClaims, showTimeLeft } from "./token.ts";

const unknown = find("unknown", HTMLElement);
const signedOut = find("signed-out", HTMLElement);
const signedIn = find("signed-in", HTMLElement);
/** One of them is there; none before the first answer. */
const parts = [unknown, signedOut, signedIn];
const moviesAnswer = find("movies-answer", HTMLParagraphElement);
const unproven = find("unproven", HTMLElement);
const endOthersButton = find("end-others", HTMLButtonElement);
/** What the access token says, while somebody is logged in. */
let claims: Claims | undefined;
/** Whether a password opens the account, as far as is known. */
let hasPassword = true;

const client = createAuthClient({
  baseUrl: root,
  onSessionEnd: (error) => showSignedOut(error ? ended : "Logged out in another tab."),
  fetch: watchedFetch,
});

onSubmit(find("register", HTMLFormElement), async ({ email = "", password = "" }) => {
  await client.register({ email, password });
  await client.login({ email, password });
  await welcome("Registered and logged in.");
});

onSubmit(find("login", HTMLFormElement), async ({ email = "", password = "", ...values }) => {
  await client.login({ email, password, ...otpOf(values) });
  await welcome("Logged in.", values);
});

const fresh = setUpStepUp({
  async password(proof) {
    await client.login({ email: claims?.email ?? "", ...proof });
    await look();
  },
  async passkey() {
    await passkeys.again();
    await look();
  },
  hasPassword: () => hasPassword,
  hasPasskey: () => passkeys.has(),
  createProviders: () => signIn.createWaysBack(),
});
const passkeyClient = createPasskeyClient(client);
const passkeys = setUpPasskeys(passkeyClient, { fresh, welcome });
const signIn = setUpSignIn(createSignInClient(client), {
  ...{ fresh, welcome, reload },
  who: () => claims,
});
setUpFactor(createFactorClient(client), {
  ...{ fresh, endOthers, reload },
  hasOthers: () => !endOthersButton.hidden,
});

onClick(find("renew", HTMLButtonElement), async () => {
  const before = claims?.iat;
  await client.refresh();
  await look();
  if (claims?.iat === before)
    say("The access token is so new that it was left alone. Try again in a minute.");
});

onClick(find("logout", HTMLButtonElement), async () => {
  await client.logout();
  rememberSignedIn(false);
  showSignedOut("Logged out.");
});

onClick(find("movies", HTMLButtonElement), async () => {
  moviesAnswer.textContent = "";
  const answer = await client.fetch("movies");
  if (answer.status === 401) say(ended);
  else moviesAnswer.textContent = `${answer.status}: ${await answer.text()}`;
});

onClick(endOthersButton, async () => {
  await endOthers();
  find("sessions-heading", HTMLElement).focus();
});

async function endOthers(): Promise<void> {
  await fresh(() => client.endAllSessions({ exceptCurrent: true }));
  await listSessions();
  say("All other sessions have ended.");
}

onClick(find("to-prove", HTMLButtonElement), async () => {
  find("ask-email-newEmail", HTMLInputElement).value = claims?.email ?? "";
  find(hasPassword ? "ask-email-password" : "ask-email-newEmail", HTMLInputElement).focus();
});

onSubmit(find("password", HTMLFormElement), async ({ currentPassword = "", newPassword = "", ...values }) => {
  const done = hasPassword ? "changed" : "set";
  const known = hasPassword ? { currentPassword, ...otpOf(values) } : {};
  await fresh(() => client.changePassword({ ...known, newPassword }));
  await look();
  await reload();
  await listSessions();
  say(`The password is ${done}, and all other sessions have ended.`);
});

onSubmit(find("delete", HTMLFormElement), async ({ password = "", ...values }) => {
  if (!hasPassword && !confirm(`Delete the account of ${claims?.email}?`)) return;
  await fresh(() => client.deleteAccount(hasPassword ? { password, ...otpOf(values) } : {}));
  rememberSignedIn(false);
  showSignedOut("The account and all its sessions are gone.");
});

onClick(find("try-again", HTMLButtonElement), lookAgain);

hintAtPasswords();
addToggles();

setUpMail(createAccountClient(client), {
  ...{ welcome, leave, fresh, passkeyClient },
  email: () => claims?.email,
  hasPassword: () => hasPassword,
});

/** All sessions of an account have ended; if it is the one that is logged in here, the list of its sessions finds out. */
async function leave(text: string, email?: string): Promise<void> {
  closeMail();
  if (claims) await listSessions();
  focusOnPart();
  if (email && !signedOut.hidden) {
    find("login-email", HTMLInputElement).value = email;
    find("login-password", HTMLInputElement).focus();
  }
  say(text);
}

/** Takes the focus to the part that is there. */
function focusOnPart(): void {
  const part = parts.find(({ hidden }) => !hidden);
  part?.querySelector("h2")?.focus();
}

/** Only to show what the client does; an application needs none of it. */
async function watchedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const name = `${init?.method ?? "GET"} ${pathname}`;
  const answer = await fetch(input, init).catch((error) => {
    noteCall(`${name}: no answer`);
    throw error;
  });
  noteCall(`${name}: ${answer.status}`);
  takeBackUnreachable();
  setClock(answer);
  const isRenewed = pathname === "/auth/refresh" && answer.ok;
  const isRefused = pathname !== "/auth/me" && answer.status === 401 && claims;
  if (isRenewed || isRefused) setTimeout(lookAgain);
  return answer;
}

/** Shows who is logged in, and says so; after a login with a recovery code, how many of them are left, too. */
async function welcome(text: string | (() => string), values: Values = {}): Promise<void> {
  closeMail();
  const before = claims;
  await look();
  // That the address is proven changes what may be done in the session that there is.
  if (claims?.sid === before?.sid) await showAccount();
  focusOnPart();
  const left = isRecoveryCode(values) ? (await shown)?.recoveryCodesLeft : undefined;
  const said = typeof text === "string" ? text : text();
  say(left === undefined ? said : `${said} ${left} of 10 recovery codes are left.`);
}

/** Asks who is logged in, and shows what is new. Where the access token has expired, the client renews it first. */
async function look(): Promise<void> {
  const found = await client.me();
  if (hasEnded(found)) return showSignedOut(ended);
  const before = claims;
  claims = found;
  showClaims(claims);
  showTimeLeft(claims);
  if (claims.sub !== before?.sub) showSignedIn(claims);
  else if (claims.sid !== before.sid) showSession(claims);
  else if (claims.iat !== before.iat) showRenewed();
}

function showSignedIn(found: Claims): void {
  forgetUser();
  if (parts.some(({ hidden }) => !hidden)) say(`Logged in as ${found.email}.`);
  show(signedIn);
  passkeys.stop();
  rememberSignedIn(true);
  showSession(found);
}

/** Shows a session; what somebody does meanwhile goes on, where it is the next one of the same user. */
function showSession({ email }: Claims): void {
  find("who", HTMLElement).textContent = email;
  for (const id of ["password-email", "step-up-email"]) find(id, HTMLInputElement).defaultValue = email;
  void listSessions();
  shown = showAccount();
}

/** How often the account was asked for: only the last answer counts. */
let asked = 0;
/** What the last one was, if it came. */
let shown: Promise<Account | undefined> | undefined;

/** Shows what opens the account. That it fails is said there. */
async function showAccount(): Promise<Account | undefined> {
  const own = ++asked;
  try {
    const account = await client.account();
    if (own !== asked) return account;
    const isProven = account.emailVerifiedAt !== null || !isHere(unproven);
    for (const each of document.querySelectorAll<HTMLElement>(".unproven")) each.hidden = isProven;
    showPassword(account.hasPassword);
    showFactor(account, isProven);
    signIn.show(account, isProven);
    await passkeys.show(isProven);
    return account;
  } catch (error) {
    if (own === asked) showNoFactor(explain(error), reload);
    return undefined;
  }
}

/** Asks for the password only where there is one. */
function showPassword(isThere: boolean): void {
  hasPassword = isThere;
  find("password-heading", HTMLElement).textContent = isThere ? "Change the password" : "Set a password";
  find("change-password", HTMLElement).textContent = isThere ? "Change it" : "Set it";
  for (const each of document.querySelectorAll<HTMLElement>(".no-password")) each.hidden = isThere;
  for (const each of document.querySelectorAll<HTMLElement>(".known-password")) {
    each.hidden = !isThere;
    for (const input of each.querySelectorAll("input")) input.required = isThere;
  }
}

async function reload(): Promise<void> {
  await showAccount();
}

function showRenewed(): void {
  say("The session was renewed.");
  void listSessions();
}

/** Until somebody logs in: that session does not come back. */
function showSignedOut(text = ""): void {
  if (claims) rememberEnd(claims);
  claims = undefined;
  if (signedOut.hidden) {
    forgetUser();
    forgetCalls();
    show(signedOut);
  }
  void passkeys.wait();
  if (text) say(text);
}

/** Nothing stays of whoever was there before, and nothing that was asked for them is shown when it comes. */
function forgetUser(): void {
  asked++;
  askedSessions++;
  moviesAnswer.textContent = "";
  clearForms();
  closeParts();
  closeStepUp();
  showPassword(true);
  showSessions([], endSession);
  signIn.clear();
  passkeys.clear();
}

/** Shows one part of the page, and takes the focus there: it may have been in another. */
function show(part: HTMLElement): void {
  const isFirst = parts.every(({ hidden }) => hidden);
  for (const each of parts) each.hidden = each !== part;
  if (!isFirst) part.querySelector("h2")?.focus();
}

/** How often the sessions were asked for: only the last answer counts. */
let askedSessions = 0;

/** Lists the sessions. That it fails is said at the list: what was done before it is done. */
async function listSessions(): Promise<void> {
  const own = ++askedSessions;
  try {
    const sessions = await client.sessions();
    if (own === askedSessions) showSessions(sessions, endSession);
  } catch (error) {
    if (own === askedSessions) showNoSessions(explain(error), listSessions);
  }
}

async function endSession({ sessionId }: ListedSession): Promise<void> {
  let text = "The session has ended.";
  await client.endSession(sessionId).catch((error: unknown) => {
    if (!(error instanceof AuthError) || error.status !== 404) throw error;
    text = "The session had ended already.";
  });
  await listSessions();
  say(text);
  find("sessions-heading", HTMLElement).focus();
}

/** Looks for the first time, after what a provider has returned with is ended. */
async function start(): Promise<void> {
  const failure = await signIn.finish();
  isLooking = false;
  if (!claims) await lookAgain();
  if (failure) signIn.showFailure(failure);
}

let isLooking = true;

/** Looks again, one look at a time. */
async function lookAgain(): Promise<void> {
  if (isLooking) return;
  if (!claims && !maybeSignedIn()) {
    showSignedOut();
    return;
  }
  isLooking = true;
  try {
    await look();
  } catch (error) {
    if (error instanceof AuthError && error.status === 401) {
      showSignedOut(claims && ended);
      rememberSignedIn(false);
    } else showTrouble(error);
  } finally {
    isLooking = false;
  }
}

function showTrouble(error: unknown): void {
  say(explain(error));
  if (parts.every(({ hidden }) => hidden)) show(unknown);
}

/** Every second; where the access token has expired without a renewal it looks again, every five. */
function tick(): void {
  if (!claims) return;
  const seconds = showTimeLeft(claims);
  if (seconds <= 0 && seconds % 5 === 0) void lookAgain();
}

void start();
setInterval(tick, 1_000);
// Another tab has logged in or renewed; this one comes back from the background, the past, or a place without a network.
addEventListener("storage", lookAgain);
addEventListener("pageshow", lookAgain);
addEventListener("online", lookAgain);
document.addEventListener("visibilitychange", () => document.hidden || lookAgain());
