import type { Facts } from "./facts.ts";
import type { FunctionName } from "./requests.ts";

/** What a function may be at most, in KiB, and what one usual call of it asks for, exactly. */
interface Budget {
  bundle: number;
  zip: number;
  /** Node's builtin modules. */
  modules: number;
  requests: number;
  readUnits: number;
  writeUnits: number;
}

const none = { requests: 0, readUnits: 0, writeUnits: 0 };
const verifyOnly: Budget = { bundle: 40, zip: 20, modules: 130, ...none };

function withDynamoDB(requests: number, readUnits: number, writeUnits: number, zip = 120): Budget {
  return { bundle: 400, zip, modules: 180, requests, readUnits, writeUnits };
}

/** The list of common passwords lies beside the bundle. */
const zipWithPasswords = 190;

/**
 * The budgets of all functions: `npm run bench -- --check` fails where one is broken. A login counts attempts of its
 * account and of its address; a new account and one that goes have an index entry, too.
 */
export const budgets: Record<FunctionName, Budget> = {
  movies: verifyOnly,
  me: verifyOnly,
  authorizer: verifyOnly,
  jwks: verifyOnly,
  discovery: verifyOnly,
  // The document lies beside the bundle
  openapi: { ...verifyOnly, zip: 40 },
  // A page and its script are in the bundle
  page: { ...verifyOnly, bundle: 48 },
  notFound: verifyOnly,
  register: withDynamoDB(2, 0, 3, zipWithPasswords),
  login: withDynamoDB(5, 2, 3),
  refresh: withDynamoDB(1, 0, 1),
  logout: withDynamoDB(1, 0, 1),
  listSessions: withDynamoDB(1, 1, 0),
  revokeSession: withDynamoDB(1, 0, 1),
  revokeAllSessions: withDynamoDB(4, 1, 3),
  changePassword: withDynamoDB(6, 3, 3, zipWithPasswords),
  exportAccount: withDynamoDB(2, 2, 0),
  deleteAccount: withDynamoDB(9, 4, 6),
};

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
      what in none ? used[what] !== budget[what] : !(used[what] > 0 && used[what] <= budget[what]);
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
