import type { AuthClient } from "./auth-client.ts";
import { bearerPair } from "./kept-tokens.ts";

/** An authenticator app that is being set up: it counts once its first code is confirmed, within ten minutes. */
export interface TotpSetup {
  /** Names it at the confirmation. */
  enrolment: string;
  /** The secret in base32, for whoever types it. */
  secret: string;
  /** The same as an app reads it, `otpauth://totp/…`: show it as a QR code. */
  uri: string;
}

/**
 * What an account does with its second factor. Everything may reject with AuthError; `insufficient_user_authentication` where the
 * login is older than 300 s, or was without a code though the account has a factor: then the user logs in once more.
 */
export interface FactorClient {
  /** Begins to set up an authenticator app; nothing is stored, and the old app goes on to work. */
  startTotp(): Promise<TotpSetup>;
  /** Ends that, with the app's first code. Gives ten recovery codes: show them once. The same again gives the same. */
  confirmTotp(first: { enrolment: string; otp: string }): Promise<string[]>;
  /** Switches the second factor off, recovery codes included. */
  disableTotp(): Promise<void>;
  /** Gives ten new recovery codes; the old ones are void. */
  renewRecoveryCodes(): Promise<string[]>;
}

/** Makes what an account does with its second factor, beside a client of the API. */
export function createFactorClient(auth: AuthClient): FactorClient {
  const send = async <T = void>(method: string, path: string, body?: object): Promise<T> =>
    auth.call(path, method, { ...body, ...(await bearerPair(auth)) });
  const codesOf = ({ recoveryCodes }: { recoveryCodes: string[] }) => recoveryCodes;
  return {
    startTotp: () => send("POST", "auth/totp"),
    confirmTotp: async (first) => codesOf(await send("POST", "auth/totp/confirm", first)),
    disableTotp: () => send("DELETE", "auth/totp"),
    renewRecoveryCodes: async () => codesOf(await send("POST", "auth/recovery-codes")),
  };
}
