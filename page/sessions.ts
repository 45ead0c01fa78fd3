import type { ListedSession } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";
import { onClick } from "./form.ts";

const list = find("sessions", HTMLUListElement);
const endOthers = find("end-others", HTMLButtonElement);
const style = { dateStyle: "medium", timeStyle: "medium" } as const;

/** Shows sessions, each but the current one with a button that ends it. */
export function showSessions(
  sessions: ListedSession[],
  end: (session: ListedSession) => Promise<void>,
): void {
  list.replaceChildren(...sessions.map((session) => createRow(session, end)));
  endOthers.hidden = sessions.every(({ current }) => current);
}

/** Says at the list why there is none, with a button that asks again. */
export function showNoSessions(text: string, ask: () => Promise<void>): void {
  const message = create("span", text);
  message.className = "error";
  message.role = "alert";
  const button = create("button", "List them again");
  button.type = "button";
  onClick(button, ask);
  list.replaceChildren(create("li", message, button));
  endOthers.hidden = true;
}

function createRow(session: ListedSession, end: (session: ListedSession) => Promise<void>): HTMLLIElement {
  const { createdAt, renewedAt, userAgent, ip, current } = session;
  const name = create("strong", current ? "This session" : "Another session");
  const details = create("span", "since ", createTime(createdAt, style));
  if (renewedAt !== null) details.append(", renewed ", createTime(renewedAt, style));
  if (ip !== null) details.append(`, from ${ip}`);
  if (userAgent !== null && !current) details.append(`, ${userAgent}`);
  details.className = "details";
  const row = create("li", create("div", name, create("br"), details));
  if (!current) row.append(createEndButton(session, end));
  return row;
}

function createEndButton(
  session: ListedSession,
  end: (session: ListedSession) => Promise<void>,
): HTMLButtonElement {
  const began = new Date(session.createdAt * 1_000).toLocaleString(undefined, style);
  const button = create("button", "End it");
  button.type = "button";
  button.ariaLabel = `End it: the session since ${began}`;
  onClick(button, () => end(session));
  return button;
}
