import type { RefusalReason } from "../events.ts";

/** A passkey's response that is not to be trusted; the reason is for the log, not for the client. */
export class PasskeyError extends Error {
  override readonly name = "PasskeyError";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}
