import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AppError } from "../../../lib/errors.ts";
import { hashPassword, isSamePassword, verifyPassword } from "../../../lib/factors/password-hash.ts";
import { passwordLength } from "../../../lib/factors/password-policy.ts";
import { findCookie, parseAuthCookie, serializeAuthCookie } from "../../../lib/http/cookies.ts";
import { parseEvent } from "../../../lib/http/event.ts";
import { createRegisterBody, loginBody, parseBody } from "../../../lib/http/schemas.ts";
import { times } from "../../support/randomness.ts";

const registerBody = createRegisterBody({ passwordMinLength: 15 });
const password = "correct horse battery";

function emailOf(schema: typeof loginBody | typeof registerBody, email: string): string | undefined {
  try {
    return parseBody(schema, { email, password }).email;
  } catch (error) {
    if (error instanceof AppError && error.code === "invalid_body") return undefined;
    throw error;
  }
}

test("an address is the same account at register and at login, blanks and case aside", () => {
  const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 });
  const odd = fc.tuple(part, part, part).map(([name, host, top]) => `${name}@${host}.${top}`);
  const blank = fc.constantFrom("", " ", "\t", "\n", "\u00a0", "\u3000");
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), odd), blank, blank, (email, before, after) => {
      const registered = emailOf(registerBody, email);
      expect(emailOf(loginBody, email)).toBe(registered);
      expect(emailOf(loginBody, before + email + after)).toBe(registered);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII, where upper case can be undone
      if (/^[\x00-\x7f]*$/.test(email)) expect(emailOf(loginBody, email.toUpperCase())).toBe(registered);
      if (registered !== undefined) expect(emailOf(loginBody, registered)).toBe(registered);
    }),
  );
});

const forms = ["NFC", "NFD", "NFKC", "NFKD"] as const;
const unicode = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

test("a password is the same in every normal form of Unicode, and as long", () => {
  fc.assert(
    fc.property(unicode, fc.constantFrom(...forms), unicode, (text, form, another) => {
      expect(isSamePassword(text, text.normalize(form))).toBe(true);
      expect(passwordLength(text.normalize(form))).toBe(passwordLength(text));
      expect(isSamePassword(text, another)).toBe(text.normalize("NFKC") === another.normalize("NFKC"));
    }),
  );
});

test("a hash is that of every normal form, and of nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(unicode, fc.constantFrom(...forms), unicode, async (text, form, another) => {
      const hash = await hashPassword(text);
      expect(await verifyPassword(hash, text.normalize(form))).toBe(true);
      expect(await verifyPassword(hash, another)).toBe(isSamePassword(text, another));
    }),
    times(10),
  );
});

test("no Set-Cookie line has a line break, another attribute, or more than 2,048 bytes", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("\r\nSet-Cookie: a=b", "; Domain=evil.example", "\0", "é".repeat(200)),
    fc.nat(2_100).map((length) => "a".repeat(length)),
  );
  const settings = fc.record({
    cookieName: fc.constantFrom("auth-cookie", "__Host-auth-cookie"),
    cookieSameSite: fc.constantFrom("Strict" as const, "Lax" as const),
    cookieDomain: fc.constantFrom(undefined, "example.com"),
  });
  fc.assert(
    fc.property(text, text, fc.nat(), settings, (token, refreshToken, sessionExpiresInSeconds, settings) => {
      let line: string;
      try {
        line = serializeAuthCookie({ token, refreshToken, sessionExpiresInSeconds }, settings);
      } catch (error) {
        const isTooLong = encodeURIComponent(JSON.stringify({ token, refreshToken })).length > 1_900;
        return expect([(error as Error).name, isTooLong]).toEqual(["RangeError", true]);
      }
      expect(line).toMatch(/^[\x21-\x7e]+(?:; [\x21-\x7e]+){5,6}$/);
      expect(line.split(";")).toHaveLength(settings.cookieDomain ? 7 : 6);
      expect(line.length).toBeLessThanOrEqual(2_048);
      const [cookie = ""] = line.split("; ");
      const isText = token.isWellFormed() && refreshToken.isWellFormed();
      if (isText)
        expect(parseAuthCookie([cookie], settings.cookieName)).toEqual({ is: "pair", token, refreshToken });
    }),
  );
});

test("cookies say the same in event.cookies and in the Cookie header", () => {
  const name = fc.constantFrom("auth-cookie", "auth-cookie-device", "Auth-Cookie", "a", "");
  const pair = fc
    .record({ token: fc.string(), refreshToken: fc.string() })
    .map((pair) => encodeURIComponent(JSON.stringify(pair)));
  const value = fc
    .oneof(pair, fc.constantFrom("", "%", "=", "a=b"), fc.string())
    .map((text) => text.replaceAll(";", ""));
  const cookie = fc.tuple(name, fc.constantFrom("=", "", " = "), value).map((parts) => parts.join(""));
  const header = fc.constantFrom("cookie", "Cookie", "COOKIE");
  fc.assert(
    fc.property(fc.array(cookie, { maxLength: 5 }), header, fc.object(), (cookies, header, others) => {
      const moved = parseEvent({ ...others, headers: {}, cookies });
      const left = parseEvent({ ...others, cookies: undefined, headers: { [header]: cookies.join("; ") } });
      expect(left.event).toEqual(moved.event);
      for (const name of ["auth-cookie", "auth-cookie-device", "a"]) {
        expect(findCookie(left.credentials.cookies, name)).toEqual(
          findCookie(moved.credentials.cookies, name),
        );
        expect(parseAuthCookie(left.credentials.cookies, name)).toEqual(
          parseAuthCookie(moved.credentials.cookies, name),
        );
      }
    }),
  );
});
