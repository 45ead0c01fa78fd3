/** Who logs in or registers. */
export interface Credentials {
  email: string;
  password: string;
  /** The code of an authenticator app, or a recovery code: where the account has a second factor (`second_factor_required`). */
  otp?: string;
}

/** What the access token says. Times are epoch seconds. */
export interface Claims {
  iss: string;
  aud: string;
  client_id: string;
  /** The user's id. */
  sub: string;
  /** The session's id. */
  sid: string;
  email: string;
  /** When the session began. */
  auth_time: number;
  iat: number;
  exp: number;
  jti: string;
  /** How the user was proven (RFC 8176), and `aal2` if with two factors; neither for a password alone. */
  amr?: string[];
  acr?: string;
  /** Claims of your own. */
  [name: string]: unknown;
}

/** A session as its user may see it. Times are epoch seconds. */
export interface Session {
  sessionId: string;
  createdAt: number;
  renewedAt: number | null;
  expiresAt: number;
  userAgent: string | null;
  ip: string | null;
}

/** A session in the list of all. */
export interface ListedSession extends Session {
  /** It is this one. */
  current: boolean;
}

/** What opens an account at another provider. Times are epoch seconds. */
export interface Identity {
  identityId: string;
  /** The id of the provider; null where that is not known any more. */
  provider: string | null;
  /** The address that it had there. */
  email: string | null;
  linkedAt: number;
}

/** The last change of an account. Times are epoch seconds. */
export interface AccountChange {
  id: string;
  /** Like `authn_password_change`. */
  event: string;
  by: string;
  at: number;
  ip?: string;
  /** Like `Chrome on Windows`. */
  device: string;
  requestId: string;
}

/** Everything stored about the user. Times are epoch seconds. */
export interface Account {
  userId: string;
  email: string;
  createdAt: number;
  /** Null: never. */
  passwordChangedAt: number | null;
  /** Null: the address was never proven. */
  emailVerifiedAt: number | null;
  /** The second factor: when its authenticator app was set up. */
  totp: { confirmedAt: number } | null;
  recoveryCodesLeft: number;
  /** Whether a password opens the account. */
  hasPassword: boolean;
  /** What else does, at other providers. */
  identities: Identity[];
  lastChange: AccountChange | null;
  roles: string[];
  /** At most 1,000. */
  sessions: Session[];
  /** How many more are stored. */
  sessionsLeftOut: number;
}
