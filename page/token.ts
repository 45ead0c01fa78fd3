import type { Claims } from "../client/auth-client.ts";
import { create, createTime, find } from "./elements.ts";

const left = find("left", HTMLElement);
const bar = find("left-bar", HTMLMeterElement);
const list = find("claims", HTMLDListElement);

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

/** Shows how long it is still good, and returns that, in seconds. */
export function showTimeLeft({ exp }: Claims): number {
  const seconds = Math.max(0, Math.ceil(exp - Date.now() / 1_000));
  left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
  bar.value = seconds;
  return seconds;
}
