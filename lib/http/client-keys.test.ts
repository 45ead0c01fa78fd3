import { expect, test } from "@jest/globals";
import { AppError } from "../errors.ts";
import { parseClientKeys } from "./client-keys.ts";

const key = "8e03978e-40d5-43dd-bc93-6894a57f9324";

const parseIdempotencyKey = (header: string | undefined) => {
  const headers = header === undefined ? {} : { "idempotency-key": header };
  const previous = header === undefined ? {} : { "idempotency-key-previous": header };
  const keys = parseClientKeys({ ...headers, ...previous });
  expect(keys.previousIdempotencyKey).toBe(keys.idempotencyKey);
  return keys.idempotencyKey;
};

test("the key before is refused by its own name", () => {
  const call = () => parseClientKeys({ "idempotency-key": key, "idempotency-key-previous": "short" });
  const detail = expect.stringMatching(/^Idempotency-Key-Previous must /);
  expect(call).toThrow(expect.objectContaining({ code: "invalid_idempotency_key", detail }));
});

const sessionKey = "A".repeat(43);

test.each([sessionKey, ` \t${sessionKey} `])("a Session-Key is read: '%s'", (header) => {
  expect(parseClientKeys({ "session-key": header }).sessionKey).toBe(sessionKey);
});

test.each([
  "",
  "A".repeat(42),
  "A".repeat(44),
  `${"A".repeat(42)}B`,
  `"${sessionKey}"`,
  `\u00a0${sessionKey}`,
])("a Session-Key is refused and not repeated: '%s'", (header) => {
  const detail = expect.not.stringContaining("AAAA");
  expect(() => parseClientKeys({ "session-key": header })).toThrow(
    expect.objectContaining({ code: "invalid_session_key", detail }),
  );
});

test.each([
  ["none", undefined, undefined],
  ["as it is", key, key],
  ["in the quotes of a structured field", `"${key}"`, key],
  ["with blanks around", `  ${key} `, key],
  ["16 characters", "k".repeat(16), "k".repeat(16)],
  ["16 characters in quotes", `"${"k".repeat(16)}"`, "k".repeat(16)],
  ["128 characters", "k".repeat(128), "k".repeat(128)],
  ["visible punctuation", "!#$%&'()*+-./:;<=>?@[]^_`{|}~", "!#$%&'()*+-./:;<=>?@[]^_`{|}~"],
])("a key is read: %s", (_, header, expected) => {
  expect(parseIdempotencyKey(header)).toBe(expected);
});

test.each([
  ...["", '""', "k".repeat(15), `"${"k".repeat(15)}"`, "k".repeat(129), `${key}, ${key}`],
  ...[`${key}"${key}`, `"${key}`, `""${key}""`, `${key}\\`, `${key} ${key}`, `\u00a0${key}\u2000`],
])("a key is refused and not repeated: %s", (header) => {
  const call = () => parseIdempotencyKey(header);
  const detail = expect.not.stringContaining(key);
  expect(call).toThrow(expect.objectContaining({ code: "invalid_idempotency_key", detail }));
});

test("a character is allowed if and only if it is visible ASCII and none of the three", () => {
  for (let code = 0; code < 0x300; code++) {
    const text = "k".repeat(8) + String.fromCharCode(code) + "k".repeat(8);
    const isAllowed = code > 0x20 && code < 0x7f && !'",\\'.includes(String.fromCharCode(code));
    const attempt = () => parseIdempotencyKey(text);
    if (isAllowed) expect(attempt()).toBe(text);
    else expect(attempt).toThrow(AppError);
  }
});
