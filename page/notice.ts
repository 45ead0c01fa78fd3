import { AuthError } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";

const notice = find("notice", HTMLParagraphElement);
const calls = find("calls", HTMLOListElement);
const shownCalls = 8;

const unreachable = "The API cannot be reached. Try again in a moment.";
/** What is said to somebody who is logged in no more. */
export const ended = "Your session has ended. Log in again.";
/** What the API answers who has no session (any more). */
const endCode =
  /^(token_expired|invalid_token|invalid_(jwt|refresh)_token|missing_credentials|(session_key|device_proof)_required)$/;

/** What the API says in words for developers. */
const texts: Record<string, string> = {
  last_sign_in_method: "Nothing else opens your account. Set a password first, or add another way to log in.",
};

/** What the gateway refuses by itself comes without a text. */
const gatewayTexts: Record<number, string> = {
  413: "That is more than the API takes.",
  429: "The API is asked too much at the moment.",
  503: "The API is overloaded at the moment.",
};

/** Says one thing in a bar at the bottom; screen readers speak it without moving the focus. */
export function say(text: string): void {
  notice.textContent = text;
  const { activeElement, body } = document;
  // What was pressed stays in sight, above the bar.
  if (text && activeElement !== body) activeElement?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("input", () => say(""));

/** Adds a line to "Calls of this page". */
export function noteCall(text: string): void {
  const time = createTime(Date.now() / 1_000, { timeStyle: "medium" });
  calls.prepend(create("li", time, " ", create("code", text)));
  while (calls.childElementCount > shownCalls) calls.lastElementChild?.remove();
}

/** Empties "Calls of this page". */
export function forgetCalls(): void {
  calls.replaceChildren();
}

/** An answer came: takes back that there is none. */
export const takeBackUnreachable = (): void => takeBack(unreachable);

/** Takes back what is true no more, if it is what stands there. */
export function takeBack(text: string): void {
  if (notice.textContent === text) say("");
}

/** Answers whether something was refused because nobody is logged in (any more). */
export function isEnd(error: unknown): boolean {
  return error instanceof AuthError && endCode.test(error.code);
}

/** Says in words what went wrong: the API's own text, and when to try again. */
export function explain(error: unknown): string {
  if (!(error instanceof AuthError) || error.code === "network_error") return unreachable;
  if (isEnd(error)) return ended;
  const { status, code, retryAfterSeconds, requestId } = error;
  const text =
    texts[code] ??
    error.detail ??
    gatewayTexts[status] ??
    `The API answered ${status}, and does not say why.`;
  if (status === 429) return `${text} ${againAt(retryAfterSeconds)}`;
  if (status >= 500 && requestId) return `${text} (The service's log knows more under ${requestId}.)`;
  return text;
}

function againAt(seconds: number | undefined): string {
  if (seconds === undefined) return "Try again in a moment.";
  return `That is at ${new Date(Date.now() + seconds * 1_000).toLocaleTimeString()}.`;
}
