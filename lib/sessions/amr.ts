/** How a user was proven, where it was by more than a password or a mailed code (RFC 8176). */
export type Amr = string[];

/** How a user is proven who comes with a code of a second factor, by what it comes beside. */
export const amrOf = { password: ["pwd", "otp", "mfa"], code: ["otp", "mfa"] } satisfies Record<string, Amr>;

/** How a user is proven who comes with a passkey: it has verified them itself. */
export const amrOfPasskey: Amr = ["pop", "user", "mfa"];

/** The class of a login with two factors; others have none. */
export const aal2 = "aal2";

/** The claims of a session that its user opened with more than one factor; of all others there are none. */
export const amrClaims = ({ amr }: { amr?: Amr }): { amr: Amr; acr: string } | undefined =>
  amr && { amr, acr: aal2 };
