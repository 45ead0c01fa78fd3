import * as v from "valibot";

/**
 * The claims that your team adds to every access token, and the one place to name them: here they are read out of users,
 * sessions and tokens, and described in `/openapi.json`. A claim is decided at login and kept with the session, so a
 * refresh carries it on without another read.
 */
export const customClaims = {
  roles: v.exactOptional(v.array(v.string())),
} satisfies v.ObjectEntries;

/** What `/openapi.json` says of each. */
export const customClaimTexts: Record<keyof CustomClaims, string> = {
  roles: "What the user may do besides being logged in.",
};

const schema = v.object(customClaims);

/** The claims that your team adds. */
export type CustomClaims = v.InferOutput<typeof schema>;

/** The attributes of a user that are claims. */
export const pickCustomClaims = (user: CustomClaims): CustomClaims => v.parse(schema, user);

/**
 * Decides the claims of a new session: each is the user's attribute of that name; one that is not is decided here.
 * Throws RangeError if they would not fit the cookie.
 */
export function createCustomClaims(user: CustomClaims): CustomClaims {
  const claims = pickCustomClaims(user);
  const bytes = Buffer.byteLength(JSON.stringify(claims));
  if (bytes > maxBytes)
    throw new RangeError(`the custom claims have ${bytes} bytes, and ${maxBytes} fit the cookie`);
  return claims;
}

/** So that the whole cookie stays under 2,048 bytes with the longest e-mail address. */
const maxBytes = 384;
