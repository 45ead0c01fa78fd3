/** Which browser it is by a part of its User-Agent; the first that fits, since most name others, too. */
const browsers: [part: RegExp, name: string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|OPiOS|OPT)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/[\d.]+ (?:Mobile\/\w+ )?Safari\//, "Safari"],
];

const systems: [part: RegExp, name: string][] = [
  [/\b(?:iPhone|iPod)\b/, "iOS"],
  [/\biPad\b/, "iPadOS"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac(?:intosh| OS X)\b/, "macOS"],
  [/\b(?:Linux|X11)\b/, "Linux"],
];

/** What a client is called that no table knows. */
export const unknownBrowser = "unknown browser";

/** A User-Agent is not read further than this. */
const maxLength = 512;

/**
 * Names the device behind a User-Agent in words of our own: `Chrome on Windows`. Nothing of the header is in it, so it
 * may be shown, mailed and stored.
 */
export function nameDevice(userAgent: string | undefined): string {
  const text = userAgent?.slice(0, maxLength) ?? "";
  const find = (table: typeof browsers) => table.find(([part]) => part.test(text))?.[1];
  const [browser = unknownBrowser, system] = [find(browsers), find(systems)];
  return system === undefined ? browser : `${browser} on ${system}`;
}
