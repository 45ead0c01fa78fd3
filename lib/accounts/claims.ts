import * as v from "valibot";
import { decideOwnClaims, ownClaims, ownClaimTexts } from "../../own/claims.ts";

/**
 * The claims beside the standard ones; those of your team stand in own/claims.ts. They are read out of users, sessions and
 * tokens, and described in `/openapi.json`. A claim is decided at login and kept with the session, so a refresh carries it on
 * without another read.
 */
export const customClaims = {
  roles: v.exactOptional(v.array(v.string())),
  ...ownClaims,
} satisfies v.ObjectEntries;

/** What `/openapi.json` says of each. */
export const customClaimTexts: Record<keyof CustomClaims, string> = {
  roles: "What the user may do besides being logged in.",
  ...ownClaimTexts,
};

const schema = v.object(customClaims);

/** The claims beside the standard ones. */
export type CustomClaims = v.InferOutput<typeof schema>;

/** The attributes of a user that are claims. */
export const pickCustomClaims = (user: CustomClaims): CustomClaims => v.parse(schema, user);

/**
 * Decides the claims of a new session: the user's attributes of those names, and what own/claims.ts decides. Throws RangeError
 * if they would not fit the cookie.
 */
export function createCustomClaims(user: CustomClaims & { userId: string; email: string }): CustomClaims {
  const claims = { ...pickCustomClaims(user), ...v.parse(schema, decideOwnClaims(user)) };
  const bytes = Buffer.byteLength(JSON.stringify(claims));
  if (bytes > maxBytes)
    throw new RangeError(`the custom claims have ${bytes} bytes, and ${maxBytes} fit the cookie`);
  return claims;
}

/** So that the whole cookie stays under 2,048 bytes with the longest e-mail address. */
const maxBytes = 384;
