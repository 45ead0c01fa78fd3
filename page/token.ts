import type { Claims } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";

const left = find("left", HTMLElement);
const bar = find("left-bar", HTMLMeterElement);
const list = find("claims", HTMLDListElement);
/** How far the device's clock is ahead of the API's, in milliseconds: it may show anything. */
let aheadMs = 0;

/** Takes the time from an answer of the API. */
export function setClock({ headers }: Response): void {
  const date = Date.parse(headers.get("date") ?? "");
  if (date) aheadMs = Date.now() - date;
}

/** Shows what an access token says. */
export function showClaims(claims: Claims): void {
  const rows = Object.entries(claims).flatMap(([name, value]) => [
    create("dt", create("code", name)),
    create(
      "dd",
      typeof value === "number"
        ? createTime(value, { timeStyle: "medium", dateStyle: "medium" })
        : String(value),
    ),
  ]);
  list.replaceChildren(...rows);
  bar.max = claims.exp - claims.iat;
}

/** Shows how long it is still good, and returns that, in seconds; below 0 when it has expired. */
export function showTimeLeft({ exp }: Claims): number {
  const seconds = Math.ceil(exp - (Date.now() - aheadMs) / 1_000);
  const shown = Math.max(0, seconds);
  left.textContent = `${Math.floor(shown / 60)}:${String(shown % 60).padStart(2, "0")} min`;
  bar.value = shown;
  return seconds;
}
