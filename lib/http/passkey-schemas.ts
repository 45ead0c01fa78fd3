import * as v from "valibot";
import { assertion, bytes, names, notObject } from "./assertion-schema.ts";
import {
  challenge,
  code,
  createNewPassword,
  device,
  type PasswordSettings,
  refreshToken,
} from "./schemas.ts";

/** How an authenticator is reached, in the words of WebAuthn; others are dropped. */
const transports = v.pipe(
  v.array(v.string("must be a list of strings"), "must be a list of strings"),
  v.transform((words) => words.filter((word) => /^[a-z-]{1,16}$/.test(word)).slice(0, 8)),
);

/** RegistrationResponseJSON (WebAuthn Level 3, 5.1.8.1); browsers send more than is looked at. */
const registration = v.object(
  {
    ...names,
    response: v.object(
      { clientDataJSON: bytes, attestationObject: bytes, transports: v.exactOptional(transports) },
      notObject,
    ),
  },
  notObject,
);

const visible = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;
const name = v.pipe(
  v.string("must be a string"),
  v.metadata({ minLength: 1, maxLength: 64 }),
  v.transform((text) => text.trim()),
  v.check((text) => visible.test(text), "must have 1 to 64 visible characters"),
);

/** The body of a sign-in with a passkey. */
export const passkeyLoginBody = v.strictObject({ passkey: assertion, device });

/** Answers whether the body of a login is one with a passkey. */
export const isPasskeyLogin = (body: unknown): boolean => v.is(v.object({ passkey: v.unknown() }), body);

/** The body of the end of a registration: with a password, or with a passkey. */
export function createConfirmRegistrationBody(settings: PasswordSettings) {
  const password = v.exactOptional(createNewPassword(settings));
  return v.strictObject({ challenge, code, password, passkey: v.exactOptional(registration) });
}

/** The body that adds a passkey. */
export const addPasskeyBody = v.strictObject({
  passkey: registration,
  name: v.exactOptional(name),
  refreshToken,
});

/** The body that names a passkey. */
export const renamePasskeyBody = v.strictObject({ name });

/** The body that removes a passkey: of a bearer client alone. */
export const removePasskeyBody = v.strictObject({ refreshToken });
