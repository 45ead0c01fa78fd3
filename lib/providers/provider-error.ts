import type { RefusalReason } from "../events.ts";

/** A provider does not answer, or not as it should: the same sign-in may do better in a moment. No message quotes anything of its. */
export class ProviderTrouble extends Error {
  override readonly name = "ProviderTrouble";
}

/** What a provider says of a sign-in is not to be trusted, or is a refusal. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}
