import { AuthError } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";

const notice = find("notice", HTMLParagraphElement);
const calls = find("calls", HTMLOListElement);
const shownCalls = 8;

/** Says one thing at the top of the page; screen readers speak it without moving the focus. */
export function say(text: string): void {
  notice.textContent = text;
}

// It lies over the page, but not over what somebody types.
document.addEventListener("input", () => say(""));

/** Adds a line to "What was asked of the API". */
export function noteCall(text: string): void {
  const time = createTime(Date.now() / 1_000, { timeStyle: "medium" });
  calls.prepend(create("li", time, " ", create("code", text)));
  while (calls.childElementCount > shownCalls) calls.lastElementChild?.remove();
}

/** Says in words what went wrong: the API's own text, and when to try again. */
export function explain(error: unknown): string {
  if (!(error instanceof AuthError) || error.status === 0)
    return "The API cannot be reached. Nothing was lost: try again in a moment.";
  const { message, retryAfterSeconds = 0, status, requestId } = error;
  const again = new Date(Date.now() + retryAfterSeconds * 1_000).toLocaleTimeString();
  if (status === 429) return `${message} That is at ${again}.`;
  if (status >= 500) return `${message} (The service's log knows more under ${requestId}.)`;
  return message;
}
