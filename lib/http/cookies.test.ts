import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type CookieSettings,
  parseAuthCookie,
  parseAuthCookies,
  serializeAuthCookie,
  serializeClearedCookies,
} from "./cookies.ts";

const cookieName = "auth-cookie";
const settings: CookieSettings = {
  ...{ cookieName, cookieSameSite: "Strict", cookieDomain: undefined },
  ...{ stage: "prod", issuer: "https://auth.example.com/v1" },
};
const [token, refreshToken] = ["header.claims.signature", "A".repeat(43)];
const pair = { token, refreshToken, expiresInSeconds: 900, sessionExpiresInSeconds: 86_400 };
const encode = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const value = encode({ token, refreshToken });
const parse = (...cookies: string[]) => parseAuthCookie(cookies, "auth-cookie");

const isPair = { is: "pair", token, refreshToken };
const isNone = { is: "none" };
/** Our value with another member before its two. */
const withFirst = (name: string, first: unknown) =>
  `${encode({ [name]: first }).slice(0, -3)}%2C${value.slice(3)}`;
const badToken = { is: "malformed", fault: "invalid_jwt_token" };
const badHalf = { is: "malformed", fault: "invalid_refresh_token" };
const withHalf = (refreshToken: unknown) => ({ token, refreshToken });

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
  ["no cookie, or others", [], ["a=b", "session=x"], ["", " "]],
  ["another name", [`Auth-Cookie=${value}`], [`auth-cookie2=${value}`, `my-auth-cookie=${value}`]],
  ["C22 no name, or no value", [`=auth-cookie=${value}`], ["auth-cookie", "auth-cookie?"]],
  ["C23 another prefix", [`__Host-auth-cookie=${value}`]],
  ["C25 another blank around", [`\u00a0auth-cookie=${value}`], [`\u2000auth-cookie\u3000=${value}`]],
])("there is no pair: %s", (_, ...requests) => {
  for (const cookies of requests) expect([cookies, parse(...cookies)]).toEqual([cookies, isNone]);
});

test("C23 with a prefixed name configured, the plain name is nothing; a name of one letter is a name", () => {
  expect(parseAuthCookie([`auth-cookie=${value}`], "__Host-auth-cookie")).toEqual(isNone);
  expect(parseAuthCookie([`a=${value}`, "=x"], "a")).toEqual(isPair);
});

test.each([
  ["empty, a broken escape or one that is not UTF-8", ["", `${value}%`, "%ff%fe"], badToken],
  ["not encoded, or twice", [JSON.stringify({ token, refreshToken }), encodeURIComponent(value)], badToken],
  ["in quotes, or with an overlong escape", [`"${value}"`, value.replace("%7B", "%C1%BB")], badToken],
  ["not JSON, or JSON and more", ["hello", `${value}%7B%7D`], badToken],
  ["no object", ["null", encode([token, refreshToken]), encode(token)], badToken],
  ["no token, or no text", [{ refreshToken }, { token: 1, refreshToken }].map(encode), badToken],
  ["a third member", [encode({ token, refreshToken, role: "admin" }), withFirst("__proto__", 1)], badToken],
  ["C15 a member twice", [withFirst("token", "other")], badToken],
  [
    "no refresh token, or no text",
    [{ token }, withHalf(null), withHalf([refreshToken])].map(encode),
    badHalf,
  ],
  [
    "a blank or a line break inside",
    [" ", "\r\n"].map((blank) => value.replace("%3A", `%3A${blank}`)),
    badToken,
  ],
  ["C25 another blank around", [`\u00a0${value}`, `${value}\ufeff`], badToken],
  ["C18 8 kB", [encode({ token: "a".repeat(8192), refreshToken })], badToken],
])("a value that is not ours: %s", (_, texts, fault) => {
  for (const text of texts) expect([text, parse(`auth-cookie=${text}`)]).toEqual([text, fault]);
});

test("C18 a value of 6,144 characters is read, a longer one is not decoded", () => {
  const rest = encode({ token: "", refreshToken }).length;
  const long = (length: number) => ({ token: "a".repeat(length - rest), refreshToken });
  expect(parse(`auth-cookie=${encode(long(6_144))}`)).toEqual({ is: "pair", ...long(6_144) });
  expect(parse(`auth-cookie=${encode(long(6_145))}`)).toEqual(badToken);
});

test("two different values are malformed, whichever is right", () => {
  const other = encode({ token: "other", refreshToken });
  expect(parse(`auth-cookie=${value}`, `auth-cookie=${other}`)).toEqual(badToken);
  expect(parse(`auth-cookie=${value}`, "auth-cookie=")).toEqual(badToken);
});

test("C26 each different pair among them is found, and nothing that is none", () => {
  const other = encode({ token: "other", refreshToken });
  const cookies = [value, other, value, "broken", ""].map((text) => `auth-cookie=${text}`);
  expect(parseAuthCookies(cookies, cookieName)).toEqual([isPair, { ...isPair, token: "other" }]);
});

test("what is written is read back as it was", () => {
  const text = fc.string({ unit: "binary", maxLength: 150 }).filter((string) => string.isWellFormed());
  fc.assert(
    fc.property(text, text, fc.nat(), (first, second, sessionExpiresInSeconds) => {
      const given = { ...pair, token: first, refreshToken: second, sessionExpiresInSeconds };
      const [cookie = ""] = serializeAuthCookie(given, settings).split("; ");
      expect(parse(cookie)).toEqual({ is: "pair", token: first, refreshToken: second });
    }),
  );
});

test("C20 the line has exactly the attributes of the spec", () => {
  expect(serializeAuthCookie(pair, settings)).toBe(
    `auth-cookie=${value}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=86400`,
  );
  const others = { cookieName: "__Secure-a", cookieSameSite: "Lax", cookieDomain: "example.com" } as const;
  expect(serializeAuthCookie(pair, { ...settings, ...others })).toBe(
    `__Secure-a=${value}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=86400; Domain=example.com`,
  );
});

test("C20 Secure is left out in stage dev with an http issuer alone: Safari keeps no such cookie from http://localhost", () => {
  const http = "http://localhost:3000";
  for (const [stage, issuer, secure] of [
    ["dev", http, ""],
    ["dev", "https://auth.example.com", " Secure;"],
    ...["test", "prod", "development"].map((stage) => [stage, http, " Secure;"]),
  ] as [string, string, string][])
    expect(serializeAuthCookie(pair, { ...settings, stage, issuer })).toBe(
      `auth-cookie=${value}; HttpOnly;${secure} SameSite=Strict; Path=/; Max-Age=86400`,
    );
});

test.each<[string, Partial<CookieSettings>, string[]]>([
  ["none", {}, ["", "auth.example.com", "example.com"]],
  ["that of all hosts", { cookieDomain: "example.com" }, ["example.com", "", "auth.example.com"]],
  ["its own", { cookieDomain: "auth.example.com" }, ["auth.example.com", "", "example.com"]],
  ["another", { cookieDomain: "example.org" }, ["example.org", "", "auth.example.com", "example.com"]],
  ["none, with __Host-", { cookieName: "__Host-a" }, [""]],
  ["none, on one's own machine", { issuer: "http://localhost:3000" }, [""]],
  ["none, at an address", { issuer: "http://192.0.2.1" }, [""]],
  ["none, at another address", { issuer: "http://[2001:db8::1]" }, [""]],
])(
  "C20 C27 the deletion is of all domains that COOKIE_DOMAIN may have been, first of today's: %s",
  (_, own, domains) => {
    const name = own.cookieName ?? cookieName;
    expect(serializeClearedCookies({ ...settings, ...own })).toEqual(
      domains.map(
        (domain) =>
          `${name}=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0${domain && `; Domain=${domain}`}`,
      ),
    );
  },
);

test("C19 a line of 2,048 bytes is written, one byte more is refused", () => {
  const room = 2048 - serializeAuthCookie({ ...pair, token: "" }, settings).length;
  expect(serializeAuthCookie({ ...pair, token: "a".repeat(room) }, settings)).toHaveLength(2048);
  expect(() => serializeAuthCookie({ ...pair, token: "a".repeat(room + 1) }, settings)).toThrow(RangeError);
});
