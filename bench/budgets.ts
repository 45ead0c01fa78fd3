import { permissions } from "../tests/support/declared.ts";
import type { Facts } from "./facts.ts";
import { type FunctionName, functionNames } from "./requests.ts";

/** What a function may be at most, in KiB, and what one usual call of it asks for, exactly. */
interface Budget {
  bundle: number;
  zip: number;
  /** Node's builtin modules. */
  modules: number;
  requests?: number;
  readUnits?: number;
  writeUnits?: number;
}

const none = { requests: 0, readUnits: 0, writeUnits: 0 };
const verifyOnly: Budget = { bundle: 42, zip: 20, modules: 130, ...none };
const withDynamoDB: Budget = { bundle: 320, zip: 120, modules: 180 };

const asks = (requests: number, readUnits: number, writeUnits: number) => ({
  requests,
  readUnits,
  writeUnits,
});
/** Whoever asks for a code counts the source and the address, puts a mail, and has no SES in its bundle. */
const asking: Partial<Budget> = { ...asks(3, 0, 3), bundle: 275 };
/** The list of common passwords lies beside the bundle. */
const hasPasswords = { zip: 190 };

/**
 * What differs from the budget of its kind. A login counts attempts of its account and of its address, and ends the
 * session that its browser had.
 */
const own: Record<string, Partial<Budget>> = {
  // The document lies beside the bundle
  openapi: { zip: 86 },
  // A page and its script are in the bundle, with every way to log in
  page: { bundle: 96, zip: 36 },
  register: { ...asks(2, 0, 5), ...hasPasswords },
  askRegistration: asking,
  askLoginCode: asking,
  confirmRegistration: { ...asks(2, 0, 7), ...hasPasswords },
  // The mail; the account, its entry, the use of the mail, and what lets it count
  acceptInvitation: { ...asks(2, 1, 8), ...hasPasswords },
  confirmLoginCode: asks(5, 2, 3),
  login: asks(7, 3, 4),
  // It asks for keys alone
  beginPasskeyLogin: { bundle: 200 },
  beginPasskey: asks(2, 2, 0),
  addPasskey: asks(3, 2, 1),
  listPasskeys: asks(2, 2, 0),
  renamePasskey: asks(2, 1, 1),
  removePasskey: asks(2, 1, 1),
  // The source, the flow and its end, an identity and its user, a session, and the end of the one before
  finishExternal: { ...asks(8, 3, 5), zip: 122 },
  listIdentities: asks(2, 2, 0),
  beginLink: asks(2, 2, 0),
  // The session, the user, the flow and its end; two items at once
  linkIdentity: asks(5, 2, 6),
  // The session; three items at once; the sweep
  unlinkIdentity: asks(4, 2, 7),
  refresh: asks(1, 0, 1),
  proveDevice: asks(1, 0, 1),
  logout: asks(1, 0, 1),
  listSessions: asks(2, 2, 0),
  revokeSession: asks(2, 1, 1),
  revokeAllSessions: asks(5, 2, 3),
  changePassword: { ...asks(9, 4, 5), ...hasPasswords },
  exportAccount: asks(4, 4, 0),
  startTotp: asks(2, 2, 0),
  confirmTotp: asks(3, 2, 1),
  disableTotp: asks(3, 2, 1),
  renewRecoveryCodes: asks(3, 2, 1),
  deleteAccount: asks(9, 4, 11),
  forgotPassword: asking,
  // The code, the password, the end of one session, and the attempts that strangers made
  resetPassword: { ...asks(6, 1, 5), ...hasPasswords },
  // The session, the user and an attempt; then what every asker counts and puts
  askEmailChange: asks(6, 2, 4),
  // The code, three items at once, a new session, and the end of the one before
  confirmEmailChange: asks(9, 4, 10),
  undoEmailChange: { ...asks(7, 3, 9), ...hasPasswords },
  // Each reads the session and the account of the administrator; what a page takes depends on the table.
  listUsers: { requests: 3 },
  showUser: asks(4, 4, 0),
  listUserEvents: asks(3, 3, 0),
  // The change, the sessions that are left, and the note that they are ended
  disableUser: asks(6, 3, 3),
  enableUser: asks(6, 3, 3),
  endUserSessions: asks(6, 3, 3),
  resetUser: asks(5, 3, 2),
  setUserRoles: asks(7, 4, 3),
  deleteUser: asks(8, 3, 7),
  inviteUser: asks(4, 3, 4),
  // Who has the address; the lease, and what became of it
  mail: asks(4, 2, 2),
  // Looks for the row; the notice, and the row
  events: asks(3, 1, 2),
};

/** The budgets of all functions: `npm run bench -- --check` fails where one is broken. */
export const budgets = Object.fromEntries(
  functionNames.map((name) => {
    const isVerifyOnly = (permissions[name] ?? []).length === 0;
    return [name, { ...(isVerifyOnly ? verifyOnly : withDynamoDB), ...own[name] }];
  }),
) as Record<FunctionName, Budget>;

/** Names every budget that is broken, one a line. */
export function findBroken(facts: Record<FunctionName, Facts>): string[] {
  return Object.entries(budgets).flatMap(([name, budget]) => {
    const { bundleBytes, zipBytes, heavyModules, ...fact } = facts[name as FunctionName];
    const used = {
      ...fact,
      bundle: bundleBytes / 1024,
      zip: zipBytes / 1024,
      requests: fact.requests.length,
    };
    const isBroken = (what: keyof Budget) =>
      what in none ? used[what] !== budget[what] : !(used[what] > 0 && used[what] <= Number(budget[what]));
    const broken = (Object.keys(budget) as (keyof Budget)[]).filter(isBroken);
    // The AWS SDK needs web streams
    const forbidden = heavyModules.filter(
      (module) => budget.requests === 0 || !module.includes("webstreams"),
    );
    return [
      ...broken.map((what) => `${name}: ${what} ${used[what].toFixed(1)}, the budget is ${budget[what]}`),
      ...forbidden.map((module) => `${name}: loads ${module}`),
    ];
  });
}
