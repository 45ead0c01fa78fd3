import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type CookieSettings,
  parseAuthCookie,
  parsePair,
  serializeAuthCookie,
  serializeClearedCookie,
} from "./cookies.ts";

const cookieName = "auth-cookie";
const settings: CookieSettings = { cookieName, cookieSameSite: "Strict", cookieDomain: undefined };
const [token, refreshToken] = ["header.claims.signature", "A".repeat(43)];
const pair = { token, refreshToken, expiresInSeconds: 900, sessionExpiresInSeconds: 86_400 };
const encode = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const value = encode({ token, refreshToken });
const parse = (...cookies: string[]) => parseAuthCookie(cookies, "auth-cookie");

const isPair = { is: "pair", token, refreshToken };
const isNone = { is: "none" };
const badToken = { is: "malformed", fault: "invalid_jwt_token" };
const badRefreshToken = { is: "malformed", fault: "invalid_refresh_token" };

test.each([
  ["alone", [`auth-cookie=${value}`]],
  ["among others", ["a=b", `auth-cookie=${value}`, "c=d"]],
  ["after the blank that a Cookie header has", [` auth-cookie=${value}`]],
  ["C21 blanks and tabs around name and value", [`\tauth-cookie \t= \t${value} `]],
  ["twice with one value", [`auth-cookie=${value}`, `auth-cookie=${value}`]],
  ["with its members the other way round", [`auth-cookie=${encode({ refreshToken, token })}`]],
  ["with escapes in lower case", [`auth-cookie=${value.replaceAll(/%../g, (code) => code.toLowerCase())}`]],
])("a pair is read: %s", (_, cookies) => {
  expect(parse(...cookies)).toEqual(isPair);
});

test.each([
  ["no cookie", []],
  ["other cookies", ["a=b", "session=x"]],
  ["a name in another case", [`Auth-Cookie=${value}`]],
  ["a longer name", [`auth-cookie2=${value}`, `my-auth-cookie=${value}`]],
  ["C22 no name", [`=auth-cookie=${value}`]],
  ["no equals sign", ["auth-cookie", "auth-cookie?"]],
  ["C23 another prefix", [`__Host-auth-cookie=${value}`]],
  ["nothing between semicolons", ["", " "]],
])("there is no pair: %s", (_, cookies) => {
  expect(parse(...cookies)).toEqual(isNone);
});

test("C23 with a prefixed name configured, the plain name is nothing; a name of one letter is a name", () => {
  expect(parseAuthCookie([`auth-cookie=${value}`], "__Host-auth-cookie")).toEqual(isNone);
  expect(parseAuthCookie([`a=${value}`, "=x"], "a")).toEqual(isPair);
});

test.each([
  ["empty", "", badToken],
  ["not encoded", JSON.stringify({ token, refreshToken }), badToken],
  ["in quotes", `"${value}"`, badToken],
  ["encoded twice", encodeURIComponent(value), badToken],
  ["a broken escape", `${value}%`, badToken],
  ["an escape that is not UTF-8", "%ff%fe", badToken],
  ["an overlong escape", value.replace("%7B", "%C1%BB"), badToken],
  ["not JSON", "hello", badToken],
  ["JSON and more", `${value}%7B%7D`, badToken],
  ["null", "null", badToken],
  ["an array", encode([token, refreshToken]), badToken],
  ["a string", encode(token), badToken],
  ["no token", encode({ refreshToken }), badToken],
  ["a token that is no string", encode({ token: 1, refreshToken }), badToken],
  ["a third member", encode({ token, refreshToken, role: "admin" }), badToken],
  ["a member __proto__", `%7B%22__proto__%22%3A1%2C${value.slice(3)}`, badToken],
  ["C15 a member twice", `%7B%22token%22%3A%22other%22%2C${value.slice(3)}`, badToken],
  ["no refresh token", encode({ token }), badRefreshToken],
  ["a refresh token that is null", encode({ token, refreshToken: null }), badRefreshToken],
  ["a refresh token that is no string", encode({ token, refreshToken: [refreshToken] }), badRefreshToken],
  ["a blank inside", `${value.slice(0, 20)} ${value.slice(20)}`, badToken],
  ["a line break inside", `${value.slice(0, 20)}\r\n${value.slice(20)}`, badToken],
  ["C18 8 kB", encode({ token: "a".repeat(8192), refreshToken }), badToken],
])("a value that is not ours: %s", (_, text, fault) => {
  expect(parse(`auth-cookie=${text}`)).toEqual(fault);
});

test("C18 a value of 6,144 characters is read, a longer one is not decoded", () => {
  const long = (length: number) => {
    const rest = encode({ token: "", refreshToken }).length;
    return { token: "a".repeat(length - rest), refreshToken };
  };
  expect(parse(`auth-cookie=${encode(long(6_144))}`)).toEqual({ is: "pair", ...long(6_144) });
  expect(parse(`auth-cookie=${encode(long(6_145))}`)).toEqual(badToken);
});

test("two different values are malformed, whichever is right", () => {
  const other = encode({ token: "other", refreshToken });
  expect(parse(`auth-cookie=${value}`, `auth-cookie=${other}`)).toEqual(badToken);
  expect(parse(`auth-cookie=${value}`, "auth-cookie=")).toEqual(badToken);
});

test("what is written is read back as it was", () => {
  const text = fc.string({ unit: "binary", maxLength: 150 }).filter((string) => string.isWellFormed());
  fc.assert(
    fc.property(text, text, fc.nat(), (first, second, sessionExpiresInSeconds) => {
      const [cookie] = serializeAuthCookie(
        { ...pair, token: first, refreshToken: second, sessionExpiresInSeconds },
        settings,
      ).split("; ") as [string];
      expect(parse(cookie)).toEqual({ is: "pair", token: first, refreshToken: second });
    }),
  );
});

test("whatever comes, reading never throws and gives strings or none", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("%", "%7B", "%22", "token", "refreshToken", "%3A", "%2C", "%7D", "=", "auth-cookie", ";"),
    fc.json().map(encodeURIComponent),
  );
  const cookie = fc.array(part, { maxLength: 12 }).map((parts) => `auth-cookie=${parts.join("")}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(cookie, fc.string({ unit: "binary" })), { maxLength: 3 }), (cookies) => {
      const presented = parse(...cookies);
      expect(["none", "malformed", "pair"]).toContain(presented.is);
      if (presented.is === "pair")
        expect([typeof presented.token, typeof presented.refreshToken]).toEqual(["string", "string"]);
    }),
  );
  fc.assert(
    fc.property(fc.anything(), (anything) => {
      const presented = parsePair(anything);
      return presented.is !== "pair" || typeof presented.refreshToken === "string";
    }),
  );
});

test("C20 the line has exactly the attributes of the spec", () => {
  expect(serializeAuthCookie(pair, settings)).toBe(
    `auth-cookie=${value}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=86400`,
  );
  const others = { cookieName: "__Secure-a", cookieSameSite: "Lax", cookieDomain: "example.com" } as const;
  expect(serializeAuthCookie(pair, others)).toBe(
    `__Secure-a=${value}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=86400; Domain=example.com`,
  );
});

test("C20 the deletion repeats path and domain", () => {
  expect(serializeClearedCookie({ ...settings, cookieDomain: "example.com" })).toBe(
    "auth-cookie=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0; Domain=example.com",
  );
  expect(serializeClearedCookie(settings)).not.toContain("Domain");
});

test("C19 a line of 2,048 bytes is written, one byte more is refused", () => {
  const room = 2048 - serializeAuthCookie({ ...pair, token: "" }, settings).length;
  expect(serializeAuthCookie({ ...pair, token: "a".repeat(room) }, settings)).toHaveLength(2048);
  expect(() => serializeAuthCookie({ ...pair, token: "a".repeat(room + 1) }, settings)).toThrow(RangeError);
});
