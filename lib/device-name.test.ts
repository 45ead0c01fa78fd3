import { expect, test } from "@jest/globals";
import { nameDevice } from "./device-name.ts";

const mozilla = "Mozilla/5.0";
const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  ["Chrome on Windows", `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36`],
  ["Edge on Windows", `${mozilla} (Windows NT 10.0) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`],
  ["Opera on Linux", `${mozilla} (X11; Linux x86_64) ${webkit} Chrome/139.0.0.0 Safari/537.36 OPR/125.0.0.0`],
  ["Chrome on ChromeOS", `${mozilla} (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/140.0.0.0 Safari/537.36`],
  ["Chrome on Android", `${mozilla} (Linux; Android 10; K) ${webkit} Chrome/140.0.0.0 Mobile Safari/537.36`],
  [
    "Samsung Internet on Android",
    `${mozilla} (Linux; Android 10) ${webkit} SamsungBrowser/28.0 Chrome/130.0.0.0`,
  ],
  ["Firefox on macOS", `${mozilla} (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0`],
  [
    "Safari on macOS",
    `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/18.6 Safari/605.1.15`,
  ],
  [
    "Safari on iOS",
    `${mozilla} (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1`,
  ],
  ["Chrome on iPadOS", `${mozilla} (iPad; CPU OS 18_6 like Mac OS X) CriOS/140.0 Mobile/15E148 Safari/604.1`],
  ["Firefox on iOS", `${mozilla} (iPhone; CPU iPhone OS 18_6 like Mac OS X) FxiOS/143.0 Mobile/15E148`],
  ["unknown browser on Windows", "Custom/1.0 (Windows NT 10.0)"],
  ["Chrome", "Chrome/140"],
  ["unknown browser", "curl/8.7.1"],
])("%s", (name, userAgent) => {
  expect(nameDevice(userAgent)).toBe(name);
});

test("nothing of the header is in a name, and what is far behind is not read", () => {
  expect(nameDevice(undefined)).toBe("unknown browser");
  expect(nameDevice("")).toBe("unknown browser");
  expect(nameDevice('<img src="https://evil.example/"> Chrome/<b> Windows\r\nBcc: a@example.com')).toBe(
    "Chrome on Windows",
  );
  expect(nameDevice(`${"x ".repeat(5_000)}Chrome/140 Windows`)).toBe("unknown browser");
});
