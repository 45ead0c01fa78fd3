import type * as v from "valibot";

// The claims that your team adds to every access token. No upgrade of this project touches this file (docs/upgrade.md).

/** Each is an attribute of users by the same name: `department: v.exactOptional(v.string())`. */
export const ownClaims = {} satisfies v.ObjectEntries;

/** What `/openapi.json` says of each. */
export const ownClaimTexts: Record<keyof typeof ownClaims, string> = {};

/** Claims of a new session that are no attribute of the user, decided at login. */
export function decideOwnClaims(_user: { userId: string; email: string }): object {
  return {};
}
