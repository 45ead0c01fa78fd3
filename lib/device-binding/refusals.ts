import { AppError } from "../errors.ts";

/** The refusal of whoever does not prove the key of the session's browser; a browser is told what to sign. */
export const deviceProofRequired = (headers?: Record<string, string>): AppError =>
  new AppError("device_proof_required", {
    detail:
      "This session is bound to the browser of its login, and the request does not prove that it is from there. Log in again.",
    ...(headers && { headers }),
  });

/** The refusal of a browser whose key the session cannot be bound to. */
export const invalidDeviceProof = (): AppError =>
  new AppError("invalid_device_proof", {
    detail:
      "A browser binds its key within 60 s of the login, with a proof of the challenge that came with it.",
  });
