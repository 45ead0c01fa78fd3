import { expect, test } from "@jest/globals";
import { AppError } from "../errors.ts";
import { rolesBody } from "./admin-schemas.ts";
import { addPasskeyBody, passkeyLoginBody } from "./passkey-schemas.ts";
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

const withPassword = (password: string): [string, object, object] => {
  const what = `B18 a password of ${password.length} letters`;
  return [what, { email, password }, { password: "must have 1 to 256 characters" }];
};

test.each([
  ["nothing", {}, { email: "is missing", password: "is missing" }],
  ["no password", { email }, { password: "is missing" }],
  ["B14 null", { email: null, password: null }, { email: "must be a string", password: "must be a string" }],
  ["B14 an array", { email: [email], password }, { email: "must be a string" }],
  ["B13 an operator", { email: { $ne: null }, password }, { email: "must be a string" }],
  ["B13 a marshalled string", { email: { S: email }, password }, { email: "must be a string" }],
  ["B14 a number", { email, password: 123456789012345 }, { password: "must be a string" }],
  ["not an address", { email: "ada", password }, { email: notAddress }],
  ...["", "a".repeat(257), "a".repeat(1_000_000), "\ud800"].map(withPassword),
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

test("what is wrong inside of a field is named with its place; of a list the list", () => {
  const made = { id: "AA", rawId: "AA", type: "public-key" };
  const response = { clientDataJSON: "AA", authenticatorData: 1, signature: "AA" };
  expect(refusalOf(passkeyLoginBody, { passkey: { ...made, response } })).toMatchObject({
    detail: "passkey.response.authenticatorData must be a string; passkey.response.userHandle is missing",
    errors: [
      { pointer: "#/passkey/response/authenticatorData", detail: "must be a string" },
      { pointer: "#/passkey/response/userHandle", detail: "is missing" },
    ],
  });
  for (const passkey of [null, "x"])
    expect(refusalOf(passkeyLoginBody, { passkey }).detail).toBe("passkey must be an object");
  expect(refusalOf(addPasskeyBody, { passkey: { ...made, response: [] } }).errors).toMatchObject([
    { pointer: "#/passkey/response/clientDataJSON" },
    { pointer: "#/passkey/response/attestationObject" },
  ]);
  const { errors } = refusalOf(rolesBody, { roles: ["admin", "a b"] });
  expect(errors).toMatchObject([{ pointer: "#/roles", detail: expect.stringMatching(/^must be a list/) }]);
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

test("A12 A13 A15 the length of a new password is counted in code points after NFKC; a login takes any", () => {
  // Two units of UTF-16; a letter of three signs before NFKC; blanks at both ends.
  for (const password of [
    ...["a".repeat(15), "a".repeat(64), "a".repeat(256), "😀".repeat(15), "😀".repeat(256)],
    ...["\u1100\u1161\u11a8".repeat(256), ` ${"a".repeat(13)} `],
  ])
    expect(parseBody(registerBody, { email, password }).password).toBe(password);
  // The last is one that NFKC makes four signs of.
  const refused = [
    "a".repeat(14),
    "a".repeat(257),
    "😀".repeat(14),
    "e\u0301".repeat(14),
    "\u3300".repeat(65),
  ];
  const detail = "password must have 15 to 256 characters";
  for (const password of refused)
    expect(refusalOf(registerBody, { email, password })).toMatchObject({ detail });
  expect(parseBody(loginBody, { email, password: "a" }).password).toBe("a");
});
