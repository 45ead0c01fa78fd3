import { isIP } from "node:net";
import { domainToUnicode } from "node:url";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isEmail, normalizeEmail } from "../../lib/accounts/email.ts";
import { listSources } from "../../lib/attempts/source-address.ts";
import { nameDevice } from "../../lib/device-name.ts";
import { AppError } from "../../lib/errors.ts";
import { findPasswordFault, passwordLength } from "../../lib/factors/password-policy.ts";
import { parseBearer } from "../../lib/http/bearer.ts";
import { parseIp } from "../../lib/http/client-ip.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode } from "../../lib/http/client-mode.ts";
import { findCookie, type Presented, parseAuthCookie } from "../../lib/http/cookies.ts";
import { parseEvent } from "../../lib/http/event.ts";
import { parseJsonBody } from "../../lib/http/json-body.ts";
import { createConfirmRegistrationBody } from "../../lib/http/passkey-schemas.ts";
import {
  callerBody,
  createAcceptInvitationBody,
  createChangePasswordBody,
  createRegisterBody,
  createResetPasswordBody,
  createUndoEmailChangeBody,
  emailBody,
  emailChangeBody,
  emailConfirmationBody,
  loginBody,
  loginCodeBody,
  parseBody,
  proofBody,
  registrationRequestBody,
  totpConfirmationBody,
} from "../../lib/http/schemas.ts";
import { formatCode, parseCode } from "../../lib/mail/codes.ts";
import { chooseLanguage, languages } from "../../lib/mail/language.ts";
import { encodeWords } from "../../lib/mail/sender.ts";
import { parseItem } from "../../lib/parse-item.ts";
import { parseMailbox } from "../../lib/parse-setting.ts";
import { classify } from "../../lib/sessions/rotation.ts";
import { sessionType } from "../../lib/sessions/session.ts";
import { isSessionId } from "../../lib/sessions/store.ts";
import { hashToken, isRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { createPasskey } from "../support/passkey.ts";
import { times } from "../support/randomness.ts";
import { anyJson, anyText, anything, deepJson, mutated } from "./hostile.ts";
import { watch } from "./oracle.ts";

// Whatever reaches a reader of ours, it answers or refuses; it never breaks, stalls or believes.

const now = 1_800_000_000;
const [refreshToken, another] = ["A".repeat(43), `${"b".repeat(42)}A`] as [string, string];
const password = "correct horse battery";
const email = "ada@example.com";
const text = (...sound: string[]) => fc.oneof(anyText, mutated(fc.constantFrom(...sound)));
const refusals = ["invalid_body", "body_too_large", "unsupported_media_type"];

function refused<T>(read: () => T, codes?: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // What a client sent does not come back.
    if (codes) expect([codes.includes(error.code), error.cause]).toEqual([true, undefined]);
    return undefined;
  }
}

function expectStrings(presented: Presented): void {
  if (presented.is !== "pair") expect(["none", "malformed"]).toContain(presented.is);
  else expect([typeof presented.token, typeof presented.refreshToken]).toEqual(["string", "string"]);
}

function readBody(body: unknown, isBase64Encoded: boolean, type: string) {
  const sent = isBase64Encoded && typeof body === "string" ? Buffer.from(body).toString("base64") : body;
  const headers = { "content-type": type, "auth-mode": "bearer" };
  const { event } = parseEvent({ headers, body: sent, isBase64Encoded }, () => {});
  return refused(() => ({ ...event, body: parseJsonBody(event) }), refusals);
}

const settings = { passwordMinLength: 15 };
const token = `${another.slice(0, 21)}A.${another.slice(0, 22)}`;
const proof = { challenge: token, code: "K4MXQ2T9W" };
const device = "session.0.20000.mac";
const otp = "123 456";
const passkey = createPasskey({ userId: another.slice(0, 36) }).get(another);
const registerBody = createRegisterBody({ ...settings, hasMail: true });
const proven = { passkey, device, refreshToken };
const bodies: Record<string, [schema: unknown, sound: object, optional?: object]> = {
  login: [loginBody, { email, password }, { otp, device }],
  proof: [proofBody, {}, { password, otp, ...proven }],
  "first code": [totpConfirmationBody, { enrolment: token, otp }, { refreshToken }],
  "caller's pair": [callerBody, {}, { refreshToken }],
  code: [emailBody, { email }],
  registration: [registrationRequestBody, { email }],
  confirmation: [createConfirmRegistrationBody(settings), proof, { password, passkey }],
  invitation: [createAcceptInvitationBody(settings), { token, password }],
  "code login": [loginCodeBody, proof, { device }],
  reset: [createResetPasswordBody(settings), { ...proof, newPassword: password }],
  register: [createRegisterBody(settings), { email, password }],
  "register with mail": [registerBody, { email, password }],
  change: [
    createChangePasswordBody(settings),
    { newPassword: `${password}!` },
    { currentPassword: password, otp, ...proven },
  ],
  "other address": [emailChangeBody, { newEmail: email }, { password, otp, ...proven }],
  "new address": [emailConfirmationBody, proof, { device, refreshToken }],
  undoing: [createUndoEmailChangeBody(settings), { token, newPassword: password }],
  pair: [undefined, { token: "header.claims.signature", refreshToken }],
};

test.each(Object.entries(bodies))("the body of %s, sound or not", (_, [schema, sound, optional = {}]) => {
  const whole = { ...sound, ...optional };
  const names = [...Object.keys(whole), "extra", "__proto__", "constructor", "toString"];
  const field = fc.oneof(anyJson, fc.constantFrom(...Object.values(whole)));
  const object = fc.dictionary(fc.constantFrom(...names), field, { maxKeys: 4 });
  const json = fc.oneof(object, anyJson, fc.constantFrom(sound, whole));
  const texts = fc.oneof(
    mutated(fc.constant(JSON.stringify(whole))),
    ...[json.map((value) => JSON.stringify(value)), deepJson, anyText, anything],
  );
  const type = fc.oneof({ weight: 9, arbitrary: fc.constant("application/json") }, anyText);
  fc.assert(
    fc.property(texts, fc.boolean(), type, (body, isBase64, type) => {
      const event = watch(() => readBody(body, isBase64, type));
      if (!event) return;
      if (schema) {
        const parse = () => parseBody(schema as typeof loginBody, event.body);
        const parsed = watch(() => refused(parse, refusals));
        const isNeeded = (name: string) => !(name in optional);
        if (parsed) expect(Object.keys(parsed).filter(isNeeded)).toEqual(Object.keys(sound));
        if (parsed) expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
        return;
      }
      const credentials = { cookies: [], authorization: undefined };
      watch(() => clientMode({ cookieName: "auth-cookie" }).before({ event, credentials }));
      expectStrings((event as unknown as { presented: Presented }).presented);
    }),
    times(3_000),
  );
});

test("the event itself, whatever Lambda is invoked with", () => {
  const name = fc.oneof(fc.constantFrom("Cookie", "AUTHORIZATION", "__proto__"), anyText);
  const any = anything as fc.Arbitrary<unknown>;
  const event = fc.record(
    {
      headers: fc.oneof(any, fc.dictionary(name, fc.oneof(anyText, any))),
      cookies: fc.oneof(any, fc.array(fc.oneof(anyText, any))),
      requestContext: fc.oneof(any, fc.record({ http: any, domainName: any })),
      ...{ body: any, rawPath: any, pathParameters: any, queryStringParameters: any, isBase64Encoded: any },
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: event as fc.Arbitrary<unknown> }, any), (input) => {
      const { event, credentials } = watch(() => parseEvent(input, () => {}));
      const texts = [...Object.values(event.headers), ...credentials.cookies, event.rawPath, event.method];
      if (!texts.every((text) => typeof text === "string")) expect(texts).toEqual([]);
      const isOdd = (name: string) => /^(cookie|authorization)$/.test(name) || name !== name.toLowerCase();
      expect(Object.keys(event.headers).filter(isOdd)).toEqual([]);
      expect(typeof event.isBase64Encoded).toBe("boolean");
    }),
    times(12_500),
  );
});

test("cookies: none, malformed, or two strings; the same in event.cookies and in the Cookie header", () => {
  const value = encodeURIComponent(JSON.stringify({ token: "header.claims.signature", refreshToken }));
  const named = ["auth-cookie=", "auth-cookie-device = "].map((name) => anyText.map((text) => name + text));
  const many = fc.array(fc.oneof(text(`auth-cookie=${value}`), ...named), { maxLength: 4 });
  fc.assert(
    fc.property(many, fc.constantFrom("cookie", "Cookie"), (cookies, header) => {
      const presented = watch(() => parseAuthCookie(cookies, "auth-cookie"));
      expectStrings(presented);
      const parts = cookies.map((text) => text.replaceAll(";", ""));
      const moved = parseEvent({ headers: {}, cookies: parts }, () => {}).credentials.cookies;
      const left = parseEvent({ headers: { [header]: parts.join("; ") } }, () => {}).credentials.cookies;
      for (const name of ["auth-cookie", "auth-cookie-device"])
        expect(watch(() => findCookie(left, name))).toEqual(findCookie(moved, name));
      expect(parseAuthCookie(left, "auth-cookie")).toEqual(parseAuthCookie(moved, "auth-cookie"));
    }),
    times(25_000),
  );
});

test("single headers and query parameters", () => {
  fc.assert(
    fc.property(text("Bearer header.claims.signature", `"${refreshToken}"`, "session"), (text) => {
      watch(() => parseBearer(text));
      const key = watch(() => refused(() => parseClientKeys({ "idempotency-key": text }).idempotencyKey));
      if (key !== undefined) expect(key).toMatch(/^[\x21-\x7e]{16,128}$/);
      watch(() => isSessionId(text));
    }),
    times(25_000),
  );
});

test("refresh token, and what the table may say about it", () => {
  const session = {
    ...{ userId: "user", sessionId: "session", email, tokenHash: hashToken(refreshToken), keyed: false },
    ...{ previousTokenHash: hashToken(another), rotationSalt: another, rotatedAt: now - 5 },
    ...{ sessionEpoch: 0, createdAt: now - 100, expiresAt: now + 900 },
  };
  const members = Object.entries(session).map(([name, sound]) => {
    return [name, fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>(sound) }, anyJson)] as const;
  });
  const item = fc.record(Object.fromEntries(members), { requiredKeys: [] });
  const key = fc.oneof(anyText, fc.constant(undefined));
  fc.assert(
    fc.property(text(refreshToken, another), key, item, (token, key, item) => {
      if (watch(() => isRefreshToken(token)))
        expect(Buffer.from(token, "base64url").toString("base64url")).toBe(token);
      const found = watch(() => refused(() => parseItem(sessionType, item)));
      if (!found) return;
      const keyHash = key === undefined ? undefined : hashToken(key);
      const attempt = {
        ...{ presentedHash: hashToken(token), rotationSalt: refreshToken, nowMs: now * 1000 },
        ...{ keyHash, previousKeyHash: undefined, sessionKeyHash: keyHash },
      };
      const settings = { refreshWindowSeconds: 10, rearmAfterSeconds: 5, maxRearms: 10 };
      const { is } = watch(() => classify(found, attempt, settings));
      // A token that was never ours is no pair of any session. (Hashing takes the low byte of what is not ASCII.)
      const isKnown = [refreshToken, another].map(hashToken).includes(attempt.presentedHash);
      if (!isKnown) expect(["over", "key-missing", "replay", "own-write"]).toContain(is);
    }),
    times(25_000),
  );
});

test("e-mail address and password; an address is the same account at login and register, in any case and with blanks", () => {
  const emailOf = (schema: unknown, text: string) =>
    refused(() => parseBody(schema as typeof loginBody, { email: text, password }), refusals)?.email;
  const addresses = fc.oneof(
    text(email, "Ada.Lovelace@Sub.Example.com", "ada@b\u00fccher。example"),
    fc.emailAddress(),
  );
  fc.assert(
    fc.property(addresses, anyText, (text, password) => {
      const address = watch(() => normalizeEmail(text));
      if (watch(() => isEmail(address))) {
        expect(address).toMatch(/^[^\s@\p{Default_Ignorable_Code_Point}]+@[a-z0-9.-]+$/u);
        expect(normalizeEmail(address)).toBe(address);
      }
      const registered = emailOf(bodies.register?.[0], text);
      expect(emailOf(loginBody, `\u3000${text}\t`)).toBe(registered);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII, where upper case can be undone
      if (/^[\x00-\x7f]*$/.test(text)) expect(emailOf(loginBody, text.toUpperCase())).toBe(registered);
      if (registered !== undefined) {
        expect(emailOf(loginBody, registered)).toBe(registered);
        const [local, domain = ""] = registered.split("@");
        const inLetters = emailOf(loginBody, `${local}@${domainToUnicode(domain)}`);
        expect([registered, undefined]).toContain(inLetters);
      }
      const chosen = { email: address, commonPasswords: new Set(["password1234567"]) };
      if (watch(() => passwordLength(password)) !== undefined)
        watch(() => findPasswordFault(password.slice(0, 256), chosen));
    }),
    times(12_500),
  );
});

test("what a proxy says of the client is one IP address or none, which is counted under a short name", () => {
  const sound = text("192.0.2.7:443", "[2001:db8::7]:443", "2001:db8::7:46532", "::ffff:192.0.2.7");
  fc.assert(
    fc.property(sound, (said) => {
      const address = watch(() => parseIp(said));
      if (address !== undefined) expect([isIP(address) > 0, said.includes(address)]).toEqual([true, true]);
      const names = watch(() => listSources(address)).map(({ name }) => name);
      expect(names.every((name) => name.length < 40)).toBe(true);
      expect(names).toHaveLength(names[0]?.endsWith("/64") ? 2 : 1);
    }),
    times(1_000),
  );
});

test("a code as it was typed, and what of a request or a setting stands in a mail", () => {
  const sound = text("k4m-xq2 t9w", "de-AT, en;q=0.5", "Chrome/140 Windows NT", "Example <auth@example.com>");
  fc.assert(
    fc.property(sound, (text) => {
      const code = watch(() => parseCode(text));
      if (code !== undefined) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{9}$/);
      if (code !== undefined) expect(parseCode(formatCode(code))).toBe(code);
      expect(languages).toContain(watch(() => chooseLanguage(text, languages)));
      expect(watch(() => nameDevice(text))).toMatch(/^[A-Za-z ]{1,40}$/);
      const mailbox = watch(() => settingOf(() => parseMailbox(text)));
      if (!mailbox) return;
      expect(mailbox.address).toMatch(/^[\x21-\x7e]+@[\w.-]+$/);
      expect(encodeWords(mailbox.name ?? "")).toMatch(/^[\w +/=?-]*$/);
    }),
    times(25_000),
  );
});

function settingOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}
