import type { ListedSession } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";
import { createButton, createFailure } from "./form.ts";

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
  list.replaceChildren(create("li", ...createFailure(text, "List them again", ask)));
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
  const began = new Date(createdAt * 1_000).toLocaleString(undefined, style);
  if (!current) row.append(createButton("End it", () => end(session), `the session since ${began}`));
  return row;
}
