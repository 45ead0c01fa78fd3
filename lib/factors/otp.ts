import { AppError } from "../errors.ts";

/** A code of a second factor as it is compared: of an authenticator app, or from the list of recovery codes. */
export type Otp = { is: "totp" | "recovery"; code: string };

/** Six digits, with blanks; or 16 letters and digits of base32 in any case, with blanks and hyphens. */
const shape = /^(?:\s*(?:\d\s*){6}|[\s-]*(?:[A-Za-z2-7][\s-]*){16})$/;

/** The same as a pattern of JSON Schema, which knows no flags. */
export const otpPattern = "^(?:\\s*(?:\\d\\s*){6}|[\\s\\-]*(?:[A-Za-z2-7][\\s\\-]*){16})$";

/** A longer text is not looked at. */
export const otpMaxLength = 64;

/** Reads a code of a second factor as it was typed; undefined if it is none. */
export function parseOtp(text: string): Otp | undefined {
  if (text.length > otpMaxLength || !shape.test(text)) return undefined;
  const code = text.replace(/[\s-]/g, "").toLowerCase();
  return { is: code.length === 6 ? "totp" : "recovery", code };
}

/** The refusal of a code of a second factor. */
export const invalidOtp = (
  detail = "This code is wrong. Use the one that your app shows now, or a recovery code.",
): AppError => new AppError("invalid_otp", { detail });
