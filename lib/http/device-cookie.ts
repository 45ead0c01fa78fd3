import { deviceMemoryDays } from "../attempts/known-devices.ts";
import { type CookieSettings, findCookie, serializeCookie, serializeStaleCookies } from "./cookies.ts";
import { addHidden } from "./event.ts";
import type { Middleware } from "./route.ts";

/** How long a browser keeps what recognises it. */
const maxAgeSeconds = deviceMemoryDays * 86_400;

/** What `deviceCookie` adds to the event; hidden from logs. */
export interface DeviceEvent {
  /** What this browser keeps of earlier logins, if it sent anything (lib/attempts/known-devices.ts). */
  device: string | undefined;
}

/** The name of the device cookie beside an auth cookie. */
export const deviceCookieName = (cookieName: string): string => `${cookieName}-device`;

/** Finds the device cookie, which makes nobody anyone: it only has attempts counted apart from those of strangers. */
export function deviceCookie({ cookieName }: Pick<CookieSettings, "cookieName">): Middleware<DeviceEvent> {
  const name = deviceCookieName(cookieName);
  return {
    before({ event, credentials }) {
      const [device, ...others] = findCookie(credentials.cookies, name);
      addHidden(event, "device", others.length > 0 ? undefined : device);
    },
  };
}

/** The Set-Cookie line of the device cookie: the attributes of the auth cookie, for 90 days. */
export function serializeDeviceCookie(device: string, settings: CookieSettings): string {
  return serializeCookie(device, maxAgeSeconds, settingsOf(settings));
}

/** The Set-Cookie lines that delete the device cookie in every scope but today's. */
export function serializeStaleDeviceCookies(settings: CookieSettings): string[] {
  return serializeStaleCookies(settingsOf(settings));
}

function settingsOf(settings: CookieSettings): CookieSettings {
  return { ...settings, cookieName: deviceCookieName(settings.cookieName) };
}
