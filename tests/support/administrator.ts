import type { Pair } from "./pair.ts";
import type { Account, Service } from "./service.ts";

/** Somebody with the role `admin`, who has just logged in. */
export async function createAdministrator(
  { addAccount, logIn, database }: Service,
  keys: { sessionKey?: string } = {},
): Promise<{
  account: Account;
  pair: Pair;
}> {
  const account = await addAccount();
  await database.change("users", { userId: account.userId }, { roles: ["admin"] });
  return { account, pair: await logIn({ account, ...keys }) };
}
