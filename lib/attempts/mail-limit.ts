import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { mailPauses } from "./pause-rule.ts";
import { createPauses } from "./refusal-cache.ts";
import type { AttemptStore } from "./store.ts";

interface MailLimitOptions {
  attempts: Pick<AttemptStore, "count">;
  keyedHash: Pick<KeyedHash, "hash">;
  clock: Clock;
}

/** Who has mails sent: anybody who asks for a code, or the account by its changes. Neither uses up the other's. */
export type MailReason = "code" | "notice";

/** What is hashed for the row of mails to an address. */
export const mailRow = (reason: MailReason, email: string): string =>
  `${reason === "code" ? "mail" : reason}:${email}`;

/** The limit of mails to one address, whether or not it has an account. */
export type MailLimit = ReturnType<typeof createMailLimit>;

/**
 * Makes the limit: codes of all kinds to one address are counted together, before they are sent, and no browser has a row
 * of its own; notices are counted in another row. It is money and somebody's inbox: where it cannot be counted there is no mail.
 */
export function createMailLimit({ attempts, keyedHash, clock }: MailLimitOptions) {
  const pauses = createPauses(clock);

  return {
    /** Counts one mail. Throws AppError `too_many_requests`, `unavailable`. */
    async count(email: string, reason: MailReason): Promise<void> {
      const id = await keyedHash.hash(mailRow(reason, email));
      const known = pauses.find(id);
      if (known > 0) throw tooManyMails(known);
      const counted = await attempts.count(id, clock(), mailPauses);
      if ("count" in counted) return;
      pauses.keep(id, counted.pauseSeconds);
      throw tooManyMails(counted.pauseSeconds);
    },
  };
}

function tooManyMails(seconds: number): AppError {
  return new AppError("too_many_requests", {
    detail: `Too many mails to this address. The next one is possible in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
  });
}
