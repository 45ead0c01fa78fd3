import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { invitationBody, recoveryBeginBody, rolesBody } from "../../lib/http/admin-schemas.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { parsePair } from "../../lib/http/cookies.ts";
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
  totpConfirmationBody,
} from "../../lib/http/schemas.ts";
import { isSessionId } from "../../lib/sessions/store.ts";
import { validatorAt } from "../support/description.ts";

describe("a request is valid for the description exactly when the service takes it", () => {
  const length = fc.constantFrom(0, 1, 14, 15, 16, 255, 256, 257, 300);
  const password = fc.tuple(length, fc.constantFrom("a", "é", "😀", " ")).map(([n, sign]) => sign.repeat(n));
  const email = fc.constantFrom(
    "ada@example.com",
    " ada@example.com\t",
    "a da@example.com",
    "Ada@EXAMPLE.com",
    "ada",
    "",
    "@",
    "a@b@c",
    `${"a".repeat(250)}@b.c`,
    "ü@bücher.example",
  );
  const otp = fc.stringMatching(/^[ -]?[0-9]{5,7} ?$|^[a-zA-Z2-7]{4}[- ]?[A-Z2-7]{11,12}[18]?$/);
  const roles = fc.array(fc.constantFrom("admin", "acme:editor", "two words", "", 1));
  const code = fc.stringMatching(/^[ -]?[0-9A-Ta-z]{8,9}[-U]?[0-9A-Z ]{0,2}$/);
  // Of addresses the description says no more than their length and their one @, see below.
  const odd = fc.jsonValue().filter((value) => typeof value !== "string" || !value.includes("@"));
  const field = fc.oneof(password, email, odd);
  const minLength = { passwordMinLength: 15 };

  test.each([
    ["Registration", createRegisterBody(minLength)],
    ["Credentials", loginBody],
    ["PasswordChange", createChangePasswordBody(minLength)],
    ["UserProof", proofBody],
    ["CallerPair", callerBody],
    ["TotpConfirmation", totpConfirmationBody],
    ["CodeRequest", emailBody],
    ["PasswordReset", createResetPasswordBody(minLength)],
    ["RegistrationConfirmation", createConfirmRegistrationBody(minLength)],
    ["CodeLogin", loginCodeBody],
    ["EmailChange", emailChangeBody],
    ["EmailConfirmation", emailConfirmationBody],
    ["EmailUndoing", createUndoEmailChangeBody(minLength)],
    ["InvitationAcceptance", createAcceptInvitationBody(minLength)],
    ["RecoveryStart", recoveryBeginBody],
    ["Roles", rolesBody],
    ["Invitation", invitationBody],
  ])("the body %s", (name, schema) => {
    const members = Object.keys(schema.entries);
    const values: Record<string, fc.Arbitrary<unknown>> = { email, newEmail: email, code, otp, roles };
    const likely = Object.fromEntries(members.map((member) => [member, values[member] ?? password]));
    const possible = Object.fromEntries([...members, "extra"].map((member) => [member, field]));
    const body = fc.oneof(fc.record(likely), fc.record(possible, { requiredKeys: [] }), fc.jsonValue());
    const isDescribed = validatorAt("components", "schemas", name);
    fc.assert(
      fc.property(body, (value) => {
        expect([value, isDescribed(value)]).toEqual([value, isTaken(() => parseBody(schema, value))]);
      }),
      { numRuns: 500 },
    );
  });

  test.each(["!@:", "ada@-example.com", "ada@example..com"])(
    "only the service tells that %s is no address",
    (address) => {
      const body = { email: address, password: "a".repeat(15) };
      const isDescribed = validatorAt("components", "schemas", "Credentials");
      expect([isDescribed(body), isTaken(() => parseBody(loginBody, body))]).toEqual([true, false]);
    },
  );

  test("a pair in the body", () => {
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { token: fc.jsonValue(), refreshToken: fc.jsonValue(), extra: fc.string() },
        { requiredKeys: [] },
      ),
      fc.record({ token: fc.string(), refreshToken: fc.string() }),
    );
    expectSame("schemas/PresentedPair", body, (value) => parsePair(value).is === "pair");
  });

  const key = fc.stringMatching(/^"?[ -~]{14,18}"?$/).filter((text) => text === text.trim());
  const id = fc.oneof(fc.string(), fc.stringMatching(/^[\w.-]{0,65}$/));
  const sessionKey = fc.stringMatching(/^[\w+-]{42,43}[A-Z]$/);
  test.each([
    ["IdempotencyKey", key, (text: string) => isTaken(() => parseClientKeys({ "idempotency-key": text }))],
    ["SessionKey", sessionKey, (text: string) => isTaken(() => parseClientKeys({ "session-key": text }))],
    ["Cursor", id, isSessionId],
    ["SessionId", id, isSessionId],
  ] as const)("the parameter %s", (name, values, isValid) => {
    expectSame(`parameters/${name}/schema`, values, isValid as (value: unknown) => boolean);
  });

  function expectSame(path: string, values: fc.Arbitrary<unknown>, isValid: (value: unknown) => boolean) {
    const isDescribed = validatorAt("components", ...path.split("/"));
    fc.assert(
      fc.property(values, (value) => {
        expect([value, isDescribed(value)]).toEqual([value, isValid(value)]);
      }),
      { numRuns: 500 },
    );
  }
});

function isTaken(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
