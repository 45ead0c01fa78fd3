import * as v from "valibot";
import { isEmail, isMailable, normalizeEmail } from "../accounts/email.ts";
import { AppError } from "../errors.ts";
import { otpMaxLength, otpPattern, parseOtp } from "../factors/otp.ts";
import { passwordLength, passwordMaxLength } from "../factors/password-policy.ts";
import { parseCode } from "../mail/codes.ts";
import { assertion } from "./assertion-schema.ts";

// The metadata is what the API description says of the rule beside it (openapi/schemas.ts); nothing checks it here.
const email = v.pipe(
  v.string("must be a string"),
  v.metadata({ format: "idn-email", pattern: "^\\s*[^\\s@]{1,64}@[^\\s@]+\\s*$", maxLength: 254 }),
  v.transform(normalizeEmail),
  v.check(isEmail, "must be an e-mail address of at most 254 bytes, such as ada@example.com"),
);

/** An address that mail can be sent to, and to no other beside it. */
const mailableEmail = v.pipe(
  v.string("must be a string"),
  v.metadata({
    format: "idn-email", // the domain may have other letters
    pattern: "^\\s*[!#-'*+\\-/-9=?A-Z^-~.]{1,64}@[^\\s@]+\\s*$",
    maxLength: 254,
  }),
  v.transform(normalizeEmail),
  v.check(
    (text) => isEmail(text) && isMailable(text),
    "must be an e-mail address of at most 254 bytes, in ASCII before the @, such as ada@example.com",
  ),
);

const password = v.pipe(
  v.string("must be a string"),
  v.metadata({ format: "password", minLength: 1, maxLength: passwordMaxLength }),
  v.check(
    (text) => isLengthWithin(text, 1, passwordMaxLength),
    `must have 1 to ${passwordMaxLength} characters`,
  ),
);

/** What a bearer client keeps of earlier logins; browsers have it in a cookie. */
export const device = v.exactOptional(
  v.pipe(
    v.string("must be a string"),
    v.metadata({ maxLength: 1024 }),
    v.maxLength(1024, "must have at most 1024 characters"),
  ),
);

/** What a bearer client proves with that it has the whole pair; browsers have it in a cookie. */
export const refreshToken = v.exactOptional(v.string("must be a string"));

/** A code of a second factor, as it was typed. A number has lost its zeros. */
export const otp = v.exactOptional(
  v.pipe(
    v.string("must be a string"),
    v.metadata({ pattern: otpPattern, maxLength: otpMaxLength }),
    v.transform((text) => parseOtp(text) ?? { is: "totp" as const, code: "" }),
    v.check(({ code }) => code !== "", "must be the six digits of an authenticator app, or a recovery code"),
  ),
);

/** The body of a login. A password that is too short today may have been long enough once. */
export const loginBody = v.strictObject({ email, password, otp, device });

/** What proves the user of a live session once more, but for the password. */
const proof = { otp, passkey: v.exactOptional(assertion), device, refreshToken };

/** The body of a request that asks for the proof of its user once more. */
export const proofBody = v.strictObject({ password: v.exactOptional(password), ...proof });

/** A code as people type it; what is parsed is the code as it is compared. */
export const code = v.pipe(
  v.string("must be a string"),
  v.metadata({ pattern: "^[\\s\\-]*(?:[0-9A-TV-Za-tv-z][\\s\\-]*){9}$", maxLength: 64 }),
  v.transform((text) => parseCode(text) ?? ""),
  v.check((text) => text !== "", "must be the nine letters and digits of a code"),
);

/** What was answered to whoever asked. One that is not ours is no fault of the body: it is refused as one that is too old. */
export const challenge = v.string("must be a string");
/** What the link in a mail has behind the `#`. */
const token = v.string("must be a string");

/** The body of a sign-in by a mailed code. */
export const loginCodeBody = v.strictObject({ challenge, code, otp, device });

/** The body of a request that needs no more than the whole pair of its caller. */
export const callerBody = v.strictObject({ refreshToken });

/** The body of the first code of an authenticator app. */
export const totpConfirmationBody = v.strictObject({
  enrolment: v.string("must be a string"),
  otp: v.pipe(
    v.string("must be a string"),
    v.metadata({ pattern: "^\\s*(?:\\d\\s*){6}$", maxLength: otpMaxLength }),
    v.transform((text) => parseOtp(text)),
    v.transform((otp) => (otp?.is === "totp" ? otp.code : "")),
    v.check((code) => code !== "", "must be the six digits that the app shows"),
  ),
  refreshToken,
});

/** The body of a reset of the password. */
export function createResetPasswordBody(settings: PasswordSettings) {
  return v.strictObject({ challenge, code, newPassword: createNewPassword(settings), otp });
}

/** The body of a reset of the password that an operator has begun. */
export function createRecoveryBody(settings: PasswordSettings) {
  return v.strictObject({ token, newPassword: createNewPassword(settings), otp });
}

/** Answers whether a body brings the token of a mail, where a code could come, too. */
export const hasToken = (body: unknown): boolean =>
  typeof body === "object" && body !== null && Object.hasOwn(body, "token");

/** The body of a change of the address by a mailed code. */
export const emailConfirmationBody = v.strictObject({ challenge, code, device, refreshToken });

/** The body of the acceptance of an invitation. */
export function createAcceptInvitationBody(settings: PasswordSettings) {
  return v.strictObject({ token, password: createNewPassword(settings) });
}

/** The body of the undoing of a change of the address. */
export function createUndoEmailChangeBody(settings: PasswordSettings) {
  return v.strictObject({ token, newPassword: createNewPassword(settings) });
}

/** The body of a request for a code. */
export const emailBody = v.strictObject({ email: mailableEmail });

/** The same where it begins a registration: a password that came along has to be told where it belongs. */
export const registrationRequestBody = v.strictObject({
  ...emailBody.entries,
  password: v.exactOptional(
    v.never("belongs to POST /auth/register/confirm, beside the code that is mailed to the address"),
  ),
});

/** The body of a request for a code at another address. */
export const emailChangeBody = v.strictObject({
  ...{ newEmail: mailableEmail, password: v.exactOptional(password), ...proof },
});

/** The body of a registration; where mail is on, with an address that mail can be sent to. */
export function createRegisterBody(settings: PasswordSettings & { hasMail?: boolean }) {
  return v.strictObject({
    email: settings.hasMail ? mailableEmail : email,
    password: createNewPassword(settings),
  });
}

/** The body of a change of password. */
export function createChangePasswordBody(settings: PasswordSettings) {
  return v.strictObject({
    ...{ currentPassword: v.exactOptional(password), newPassword: createNewPassword(settings), ...proof },
  });
}

/** What a new password has to be like. */
export interface PasswordSettings {
  passwordMinLength: number;
}

/** Makes the schema of a password that nobody has yet. */
export function createNewPassword({ passwordMinLength }: PasswordSettings) {
  const isLongEnough = (text: string) => isLengthWithin(text, passwordMinLength, passwordMaxLength);
  const rule = `must have ${passwordMinLength} to ${passwordMaxLength} characters`;
  return v.pipe(
    v.string("must be a string"),
    v.metadata({ format: "password", minLength: passwordMinLength, maxLength: passwordMaxLength }),
    v.check(isLongEnough, rule),
  );
}

/** Parses a request body. Throws AppError `invalid_body` that names every field at fault. */
export function parseBody<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
): v.InferOutput<Schema> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new AppError("invalid_body", { detail: "Send a JSON object as the body." });
  }
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => ({ names: namesOf(issue), detail: describe(issue) }));
  throw new AppError("invalid_body", {
    detail: faults.map(({ names, detail }) => `${names.join(".")} ${detail}`).join("; "),
    errors: faults.map(({ names, detail }) => ({ pointer: `#/${names.join("/")}`, detail })),
  });
}

function describe({ type, message, received, expected }: v.BaseIssue<unknown>): string {
  if (type === "strict_object" && expected === "never") return "is not known";
  return received === "undefined" ? "is missing" : message;
}

/** The way to a field, or to the list that it stands in; a name that a client made up is repeated only if it is a plain word. */
function namesOf({ path }: v.BaseIssue<unknown>): string[] {
  const names = (path ?? []).flatMap(({ type, key }) => (type === "object" ? [String(key)] : []));
  return names.map((name) => (/^\w{1,64}$/.test(name) ? name : "another_field"));
}

/** Counts cheaply first: nobody makes us normalise a megabyte. */
function isLengthWithin(text: string, min: number, max: number): boolean {
  if (text.length > 4 * max) return false;
  const length = passwordLength(text);
  return length !== undefined && length >= min && length <= max;
}
