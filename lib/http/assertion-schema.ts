import * as v from "valibot";

/** Base64url; whether it is canonical and what it says is checked by lib/passkeys/. */
export const bytes = v.pipe(v.string("must be a string"), v.metadata({ pattern: "^[A-Za-z0-9_-]*$" }));

/** What is said of a member that should be an object. */
export const notObject = "must be an object";

/** What every answer of a browser to a ceremony begins with. */
export const names = { id: bytes, rawId: bytes, type: v.literal("public-key", "must be public-key") };

/** AuthenticationResponseJSON (WebAuthn Level 3, 5.1.8.2). */
export const assertion = v.object(
  {
    ...names,
    response: v.object(
      { clientDataJSON: bytes, authenticatorData: bytes, signature: bytes, userHandle: bytes },
      notObject,
    ),
  },
  notObject,
);
