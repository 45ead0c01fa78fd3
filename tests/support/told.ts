import { clock } from "./clock.ts";
import type { Item } from "./database.ts";
import type { Account, Service } from "./service.ts";

/** What tests see of what is told of accounts: the audit trail, and the mails that are put to be sent. */
export function createTold({ database, register, feed }: Service) {
  return {
    /** An account whose address is proven, and old enough that a new browser is worth a notice. */
    async registerProven(): Promise<Account> {
      const account = await register();
      const times = { emailVerifiedAt: clock.now - 3_600, createdAt: clock.now - 3_600 };
      await database.change("users", { userId: account.userId }, times);
      await feed("events");
      // Whatever comes next is in another second.
      clock.advance(1);
      return account;
    },

    /** The audit rows of a user, in order. */
    async rowsOf(userId: string): Promise<Item[]> {
      const rows = (await database.scan("audit")).filter((row) => row.userId === userId);
      return rows.sort((a, b) => (a.change < b.change ? -1 : 1));
    },

    /** The mails to an address, in no order. */
    async mailsTo(address: string): Promise<Item[]> {
      return (await database.scan("mails")).filter(({ email }) => email === address);
    },
  };
}
