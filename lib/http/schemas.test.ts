import { expect, test } from "@jest/globals";
import { AppError } from "../errors.ts";
import { createRegisterBody, loginBody, parseBody } from "./schemas.ts";

const registerBody = createRegisterBody({ passwordMinLength: 15 });
const email = "ada@example.com";
const password = "correct horse battery staple";

/** The refusal of a body. */
function refusalOf(schema: Parameters<typeof parseBody>[0], body: unknown): AppError {
  try {
    throw new Error(`accepted: ${JSON.stringify(parseBody(schema, body))}`);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

test("the address comes out normalised, the password untouched", () => {
  const body = { email: " Ada@Example.COM ", password: "  Ｐass word of mine  " };
  for (const schema of [loginBody, registerBody]) {
    expect(parseBody(schema, body)).toEqual({ email, password: body.password });
  }
});

test("B02 a body that is no object is refused", () => {
  const refusal = { code: "invalid_body", detail: "Send a JSON object as the body." };
  for (const body of [null, [], [{}], "x", 1, true, undefined])
    expect(refusalOf(loginBody, body)).toMatchObject(refusal);
});

const notAddress = "must be an e-mail address of at most 254 bytes, such as ada@example.com";

test.each([
  ["nothing", {}, { email: "is missing", password: "is missing" }],
  ["no password", { email }, { password: "is missing" }],
  ["B14 null", { email: null, password: null }, { email: "must be a string", password: "must be a string" }],
  ["B14 an array", { email: [email], password }, { email: "must be a string" }],
  ["B13 an operator", { email: { $ne: null }, password }, { email: "must be a string" }],
  ["B13 a marshalled string", { email: { S: email }, password }, { email: "must be a string" }],
  ["B14 a number", { email, password: 123456789012345 }, { password: "must be a string" }],
  ["not an address", { email: "ada", password }, { email: notAddress }],
  ["an empty password", { email, password: "" }, { password: "must have 1 to 256 characters" }],
  ["257 characters", { email, password: "a".repeat(257) }, { password: "must have 1 to 256 characters" }],
  ["a lone surrogate", { email, password: "\ud800" }, { password: "must have 1 to 256 characters" }],
  ["B18 1 MB", { email, password: "a".repeat(1_000_000) }, { password: "must have 1 to 256 characters" }],
  ["B15 a field more", { email, password, role: "admin" }, { role: "is not known" }],
  ["B11 constructor", { email, password, constructor: { prototype: {} } }, { constructor: "is not known" }],
  ["B11 toString", { email, password, toString: "x" }, { toString: "is not known" }],
])("the fields at fault are named with what to do: %s", (_, body, faults) => {
  const { code, detail, errors = [] } = refusalOf(loginBody, body);
  expect(code).toBe("invalid_body");
  const named = Object.fromEntries(errors.map((error) => [error.pointer.slice(2), error.detail]));
  expect(named).toEqual(faults);
  expect(detail).toBe(errors.map((error) => `${error.pointer.slice(2)} ${error.detail}`).join("; "));
});

test("B11 a field __proto__ is not known, like any other, and a name that is no plain word is not repeated", () => {
  const pointerOf = (name: string) => {
    const body = JSON.parse(`{"email":"${email}","password":"${password}",${JSON.stringify(name)}:{}}`);
    return refusalOf(loginBody, body).errors;
  };
  expect(pointerOf("__proto__")).toEqual([{ pointer: "#/__proto__", detail: "is not known" }]);
  for (const name of ["a b", "<script>", "a".repeat(65), "a/b~c", "\r\nSet-Cookie: x", ""])
    expect(pointerOf(name)).toEqual([{ pointer: "#/another_field", detail: "is not known" }]);
});

test.each([
  ["14 letters", "a".repeat(14), false],
  ["15 letters", "a".repeat(15), true],
  ["A13 14 emoji", "😀".repeat(14), false],
  ["A13 15 emoji", "😀".repeat(15), true],
  ["14 letters with combining accents", "e\u0301".repeat(14), false],
  ["A12 64", "a".repeat(64), true],
  ["A12 256", "a".repeat(256), true],
  ["256 emoji", "😀".repeat(256), true],
  ["256 letters of four signs each before NFKC", "\u1100\u1161\u11a8".repeat(256), true],
  ["A12 257", "a".repeat(257), false],
  ["A15 15 with blanks at both ends", ` ${"a".repeat(13)} `, true],
  ["65 signs that NFKC makes 260 of", "\u3300".repeat(65), false],
])("the length of a new password is counted in code points after NFKC: %s", (_, text, isAccepted) => {
  const body = { email, password: text };
  if (isAccepted) expect(parseBody(registerBody, body).password).toBe(text);
  else expect(refusalOf(registerBody, body).detail).toBe("password must have 15 to 256 characters");
});

test("a login takes a password that would be too short today", () => {
  expect(parseBody(loginBody, { email, password: "a" }).password).toBe("a");
});
