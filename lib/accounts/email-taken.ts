import { AppError } from "../errors.ts";

/** AppError `email_taken`: an address has one account. */
export const emailTaken = (): AppError =>
  new AppError("email_taken", { detail: "There is an account with this e-mail address." });
