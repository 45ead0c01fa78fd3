/** Security events, in the words of the OWASP Logging Vocabulary where it has one. */
export type SecurityEvent =
  /** A second factor was set up, or its recovery codes were made anew; or it was switched off. */
  | "authn_factor_added"
  | "authn_factor_removed"
  /** All else was right, and no code of the second factor came. */
  | "authn_factor_missing"
  /** All else was right, and the code of the second factor was wrong: somebody may know the password. */
  | "authn_factor_fail"
  /** A code was asked for; the vocabulary has no word for it. */
  | "authn_code_requested"
  | "authn_login_success"
  | "authn_login_fail"
  /** Too many attempts in a row: the next one has to wait. */
  | "authn_login_lock"
  /** The user has one way in or one factor more, or less. */
  | "authn_factor_added"
  | "authn_factor_removed"
  /** A passkey's counter went back, or it can suddenly be copied: it is no refusal. */
  | "authn_passkey_suspect"
  | "authn_password_change"
  /** A browser has bound its key to a session; or it, or somebody with a copied cookie, did not prove that key. */
  | "authn_device_bound"
  | "authn_device_unproven"
  /** A genuine pair without the Session-Key that its session is bound to: a copied cookie, or a client that lost its key. */
  | "authn_session_key_missing"
  | "authn_token_invalid"
  /** A spent pair came back: the session was ended. */
  | "authn_token_reuse"
  /** A predecessor came back without a key, inside the window: it may be a lost response or a thief. */
  | "authn_token_repeat_unproven"
  | "authn_token_revoked"
  /** Somebody asked the admin API, and was answered or refused. */
  | "authz_admin"
  | "authz_fail"
  | "excess_rate_limit_exceeded"
  | "input_validation_fail"
  | "malicious_cors"
  | "session_expired"
  | "session_logout"
  | "session_renewed"
  | "user_created"
  | "user_deleted"
  /** The address was changed, or proven, or a change of it undone. */
  | "user_updated"
  /** Ours, not the caller's: the response was 500 or 503. */
  | "failure";

/** What changes an account; the deletion of one is told of when it is gone. */
export type ChangeEvent =
  | Extract<SecurityEvent, "authn_password_change" | "authn_token_revoked" | "user_created" | "user_updated">
  | "totp_added"
  | "totp_removed"
  | "recovery_codes_made"
  | "recovery_code_used"
  | "passkey_added"
  | "passkey_removed"
  /** Of another provider: it opens the account, or no longer does. */
  | "identity_linked"
  | "identity_unlinked"
  /** An operator lets nobody in any more. */
  | "user_archived"
  | "user_deleting"
  /** An operator has given or taken roles. */
  | "privilege_permissions_changed"
  /** An operator has had a link mailed with which a new password can be set. */
  | "authn_recovery_begun"
  /** An operator has imported accounts of another system: one for all of them. */
  | "users_imported"
  /** An operator has withdrawn the invitations to an address: no account changes. */
  | "invitations_withdrawn"
  /** An operator has had the attempts at an account forgotten. */
  | "authn_login_unlock";

/** Why credentials were refused, where the problem code alone does not tell. Nothing of the caller's is in it. */
export type RefusalReason =
  /** Of an access token. */
  | "not a compact JWS"
  | "not canonical base64url"
  | "header is not a JSON object"
  | "unexpected header"
  | "unknown key"
  | "wrong signature"
  | "wrong issuer"
  | "wrong audience"
  /** A token of another client, on a route of the account. */
  | "wrong client"
  | "claims are not an object"
  | "claims of a wrong type"
  | "claims contradict each other"
  /** One is missing, or not what it has to be. */
  | "claim refused"
  | "lives too long"
  | "issued in the future"
  | "expired"
  /** Of a pair: it is not whole, or was renewed since. */
  | "refresh token not current"
  /** Of a session; gone are those that were ended, and at some time the expired. */
  | "session gone"
  | "session expired"
  | "session at its maximum age"
  | "session ended by the operator"
  /** The user's sessions were all ended, and this one has not been deleted yet. */
  | "session of an earlier epoch"
  | "account gone"
  /** Of a mailed code. */
  | "wrong code"
  /** Of a passkey's response; the origin is that of the page, the domain PASSKEY_RP_ID. */
  | "client data refused"
  | "wrong origin"
  | "wrong challenge"
  | "challenge too old"
  | "authenticator data refused"
  | "wrong domain of a passkey"
  | "user not verified"
  | "user handle refused"
  | "public key refused"
  /** The passkey that it names is not the user's: it was removed. */
  | "passkey gone"
  /** It was made for another user, or another sign-in with the passkey came after it. */
  | "challenge used"
  /** By an operator, or it is being deleted. */
  | "account disabled"
  /** Of a sign-in at a provider: it was begun elsewhere, or too long ago. */
  | "flow unknown"
  /** The provider refuses the code, or its answer is none that we take. */
  | "code refused"
  | "ID token refused"
  | "subject refused"
  /** The provider does not say that the address is the user's. */
  | "address not verified"
  /** Another account has the address. */
  | "address taken";
