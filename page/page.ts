import { AuthError, type Claims, createAuthClient } from "../client/auth-client.ts";
import { find } from "./elements.ts";
import { onClick, onSubmit } from "./form.ts";
import { explain, noteCall, say } from "./notice.ts";
import { showSessions } from "./sessions.ts";
import { showClaims, showTimeLeft } from "./token.ts";

const signedOut = find("signed-out", HTMLElement);
const signedIn = find("signed-in", HTMLElement);
/** What the access token says, while somebody is logged in. */
let claims: Claims | undefined;

const ended = "Your session has ended. Log in again.";

const client = createAuthClient({
  onSessionEnd: (error) => showSignedOut(error ? ended : "Logged out in another tab."),
  fetch: watchedFetch,
});

onSubmit(find("register", HTMLFormElement), async ({ email = "", password = "" }) => {
  await client.register({ email, password });
  await client.login({ email, password });
  await welcome("Registered and logged in.");
});

onSubmit(find("login", HTMLFormElement), async ({ email = "", password = "" }) => {
  await client.login({ email, password });
  await welcome("Logged in.");
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
  showSignedOut("Logged out.");
});

onClick(find("movies", HTMLButtonElement), async () => {
  const answer = await client.fetch("/movies");
  find("movies-answer", HTMLParagraphElement).textContent = `${answer.status}: ${await answer.text()}`;
});

onClick(find("end-others", HTMLButtonElement), async () => {
  await client.endAllSessions({ exceptCurrent: true });
  await listSessions();
  say("All other sessions have ended.");
  find("sessions-heading", HTMLElement).focus();
});

onSubmit(find("password", HTMLFormElement), async ({ currentPassword = "", newPassword = "" }) => {
  await client.changePassword({ currentPassword, newPassword });
  await listSessions();
  say("The password is changed, and all other sessions have ended.");
});

onSubmit(find("delete", HTMLFormElement), async ({ password = "" }) => {
  await client.deleteAccount({ password });
  showSignedOut("The account and all its sessions are gone.");
});

/** Only to show what the client does; an application needs none of it. */
async function watchedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const answer = await fetch(input, init);
  noteCall(`${init?.method ?? "GET"} ${pathname}: ${answer.status}`);
  if (pathname === "/auth/refresh" && answer.ok) setTimeout(lookAgain);
  return answer;
}

/** Shows who is logged in, and says so. */
async function welcome(text: string): Promise<void> {
  await look();
  say(text);
  find("who-heading", HTMLElement).focus();
}

/** Asks who is logged in, and shows what is new. Where the access token has expired, the client renews it first. */
async function look(): Promise<void> {
  const before = claims;
  claims = await client.me();
  showClaims(claims);
  showTimeLeft(claims);
  if (claims.sid !== before?.sid) await showSignedIn(claims);
  else if (claims.iat !== before.iat) await showRenewed();
}

async function showSignedIn({ email }: Claims): Promise<void> {
  find("who", HTMLElement).textContent = email;
  find("password-email", HTMLInputElement).defaultValue = email;
  find("movies-answer", HTMLParagraphElement).textContent = "";
  say("");
  signedOut.hidden = true;
  signedIn.hidden = false;
  await listSessions();
}

async function showRenewed(): Promise<void> {
  say("The session was renewed.");
  await listSessions();
}

function showSignedOut(text: string): void {
  const wasSignedIn = claims !== undefined;
  claims = undefined;
  signedIn.hidden = true;
  signedOut.hidden = false;
  if (!wasSignedIn) return;
  say(text);
  find("login-heading", HTMLElement).focus();
}

async function listSessions(): Promise<void> {
  showSessions(await client.sessions(), async ({ sessionId }) => {
    await client.endSession(sessionId);
    await listSessions();
    say("The session has ended.");
    find("sessions-heading", HTMLElement).focus();
  });
}

let isLooking = false;

/** Looks again, one look at a time. */
async function lookAgain(): Promise<void> {
  if (isLooking) return;
  isLooking = true;
  try {
    await look();
  } catch (error) {
    const isOver = error instanceof AuthError && error.status === 401;
    if (!isOver) say(explain(error));
    if (isOver || !claims) showSignedOut(ended);
  } finally {
    isLooking = false;
  }
}

setInterval(() => claims && showTimeLeft(claims) === 0 && lookAgain(), 1_000);
// Another tab has logged in or renewed; this one comes back from the background, the past, or a place without a network.
addEventListener("storage", lookAgain);
addEventListener("pageshow", lookAgain);
addEventListener("online", lookAgain);
document.addEventListener("visibilitychange", () => document.hidden || lookAgain());
