import { type AuthClient, AuthError, type UserProof } from "./auth-client.ts";
import { type CodeKind, createChallenges } from "./challenges.ts";
import { keptTokens } from "./kept-tokens.ts";
import { type MailLink, takeMailLink } from "./mail-link.ts";

export type { CodeKind, MailLink };
export { takeMailLink };

/** The answer to an ask, the same for every address: a mail is under way, if there is somebody to mail to. */
export interface Asked {
  /** The first character of the code in that mail. */
  codeBegins: string;
  /** How long the code is good, in seconds. */
  expiresIn: number;
  /** Of a registration, where a passkey may take the place of a password: by what the browser makes one. */
  passkey?: object;
}

/** A code as it stands in a mail, or as somebody types it. */
type Code = { code: string };
/** The code of an authenticator app, or a recovery code: after `second_factor_required`. */
type SecondFactor = { otp?: string };

/**
 * What an account does by mail: each step is asked for, and confirmed with the code in the mail. A code counts only where it was
 * asked for. Everything may reject with AuthError; `code_expired` also where no code was asked for.
 */
export interface AccountClient {
  /** Answers whether a code of this kind can be used here: whether it was asked for in this browser. */
  isAskedHere(kind: string, code: string): boolean;

  askRegistration(account: { email: string }): Promise<Asked>;
  /**
   * Makes the account, and logs in. With `passkey` – `makePasskey` of `serverless-auth-client/passkeys` – in place of a password it
   * logs in nobody: `signInWithPasskey` follows. It rejects with `unsupported` where the API offers none.
   */
  confirmRegistration(
    proof: Code & ({ password: string } | { passkey: (options: object) => Promise<object> }),
  ): Promise<{ userId: string; email: string }>;

  askPasswordReset(account: { email: string }): Promise<Asked>;
  /** Sets a new password, which ends every session and opens none. */
  confirmPasswordReset(proof: Code & SecondFactor & { newPassword: string }): Promise<void>;

  askEmailChange(change: UserProof & { newEmail: string; password?: string | undefined }): Promise<Asked>;
  /**
   * Moves the account to the new address: every session ends, and this client goes on in a new one. Where the answer was lost it may
   * reject with `email_changed`: then the user logs in with the new address.
   */
  confirmEmailChange(proof: Code): Promise<{ email: string }>;
  /** Takes the account back to the address before, with the token that was mailed there. */
  undoEmailChange(proof: { token: string; newPassword: string }): Promise<void>;

  askLogin(account: { email: string }): Promise<Asked>;
  confirmLogin(proof: Code & SecondFactor): Promise<void>;

  /** Sets the password of an account that an operator has asked to do so; no session is opened. */
  recoverPassword(proof: { token: string; newPassword: string } & SecondFactor): Promise<void>;

  /** Makes the account that an operator has invited somebody to, and logs in. */
  acceptInvitation(proof: { token: string; password: string }): Promise<{ userId: string; email: string }>;
}

const emailChanged = { code: "email_changed", detail: "Log in with the new address." };

/** Makes what an account does by mail, beside a client of the API. */
export function createAccountClient(auth: AuthClient): AccountClient {
  const { name, tokens, call, open, login } = auth;
  const challenges = createChallenges(tokens ? undefined : `${name} challenges`);
  const post = <T = void>(path: string, body: unknown) => call<T>(path, "POST", body);

  /** Those whose code may be this one: two begin with the same character, now and then. */
  const fitting = (kind: CodeKind, code: string) =>
    challenges.of(kind).filter(({ codeBegins }) => codeBegins === firstOf(code));

  async function ask(kind: CodeKind, path: string, body: unknown): Promise<Asked> {
    const asked = await post<Asked & { challenge: string }>(path, body);
    const { challenge, ...shown } = asked;
    const { codeBegins, expiresIn, passkey } = shown;
    const untilMs = Date.now() + expiresIn * 1000;
    challenges.add({ kind, challenge, codeBegins, untilMs, ...(passkey && { passkey }) });
    return shown;
  }

  async function confirm<T>(
    kind: CodeKind,
    code: string,
    act: (proof: { challenge: string; code: string }, passkey: object | undefined) => Promise<T>,
  ): Promise<T> {
    let refusal: unknown = notFromHere(challenges.of(kind));
    for (const { challenge, passkey } of fitting(kind, code)) {
      try {
        const done = await act({ challenge, code }, passkey);
        challenges.drop(challenge);
        return done;
      } catch (error) {
        refusal = error;
        const { code: refused } = error as AuthError;
        if (refused === "code_expired") challenges.drop(challenge);
        else if (refused !== "invalid_code") break;
      }
    }
    throw refusal;
  }

  /** A way into the account needs the whole token pair; with it goes what recognises the client. */
  async function withPair(body: object): Promise<object> {
    const { refreshToken, device } = await keptTokens(auth);
    return { ...body, refreshToken, device };
  }

  /** Both come out of a mail; its owner need not log in by hand. */
  async function enter(path: string, body: { password: string }): Promise<{ userId: string; email: string }> {
    const account = await post<{ userId: string; email: string }>(path, body);
    await login({ email: account.email, password: body.password });
    return account;
  }

  return {
    isAskedHere: (kind, code) => fitting(kind as CodeKind, code).length > 0,

    askRegistration: (account) => ask("register", "auth/register", account),
    confirmRegistration: ({ code, ...way }) =>
      confirm("register", code, async (proof, options) => {
        if ("password" in way) return enter("auth/register/confirm", { ...proof, password: way.password });
        if (!options) throw new AuthError(0, { code: "unsupported", detail: "No passkey was offered." });
        return post("auth/register/confirm", { ...proof, passkey: await way.passkey(options) });
      }),

    askPasswordReset: (account) => ask("reset", "auth/password/forgot", account),
    confirmPasswordReset: ({ code, ...rest }) =>
      confirm("reset", code, (proof) => post("auth/password/reset", { ...rest, ...proof })),

    askEmailChange: async (change) => ask("email", "auth/email", await withPair(change)),
    confirmEmailChange: ({ code }) =>
      confirm("email", code, async (proof) =>
        open("auth/email/confirm", await withPair(proof), emailChanged),
      ),
    undoEmailChange: (proof) => post("auth/email/undo", proof),

    askLogin: (account) => ask("login", "auth/login/code", account),
    confirmLogin: ({ code, ...otp }) =>
      confirm("login", code, (proof) => open("auth/login/code/confirm", { ...otp, ...proof })),

    recoverPassword: (proof) => post("auth/password/reset", proof),
    acceptInvitation: (proof) => enter("auth/invitations/accept", proof),
  };
}

/** The first character as the API reads it (Crockford's base32). */
function firstOf(code: string): string | undefined {
  const [first] = /[0-9A-Z]/.exec(code.normalize("NFKC").toUpperCase()) ?? [];
  return first?.replace("O", "0").replace(/[IL]/, "1");
}

/** Why a code cannot be the right one: it is another mail's, or none was asked for. */
function notFromHere(asked: { codeBegins: string }[]): AuthError {
  if (asked.length === 0)
    return new AuthError(400, {
      code: "code_expired",
      detail: "No such code was asked for here. Ask for a new one.",
    });
  const letters = [...new Set(asked.map(({ codeBegins }) => codeBegins))].join(" or ");
  return new AuthError(400, { code: "invalid_code", detail: `The code begins with ${letters}.` });
}
