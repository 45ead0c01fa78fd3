import { type AuthClient, AuthError } from "./auth-client.ts";
import { bearerPair } from "./kept-tokens.ts";

/** A passkey of the account. Times are epoch seconds. */
export interface Passkey {
  passkeyId: string;
  /** As the browser names it, base64url. */
  credentialId: string;
  name: string;
  createdAt: number;
  lastUsedAt: number | null;
  /** Whether a copy is kept elsewhere: one that is not is gone with its device. */
  isBackedUp: boolean;
  transports: string[];
  aaguid: string;
}

/**
 * What an account does with passkeys. Everything may reject with AuthError: beside the API's codes `unsupported` where the browser
 * knows no passkeys, `passkey_cancelled` where its user or another ceremony has ended the dialog, and `passkey_exists` where the
 * device has one of this account already.
 */
export interface PasskeyClient {
  /**
   * Logs in with a passkey. `conditional`: by the autofill of a field with `autocomplete="username webauthn"`; it waits until the
   * user has chosen one, `signal` is aborted, or another sign-in or passkey is begun. `unsupported` where the browser cannot do that.
   * `only`: the dialog offers no other ones, where somebody who is logged in has to log in once more.
   */
  signInWithPasskey(options?: {
    conditional?: boolean;
    signal?: AbortSignal;
    only?: readonly Pick<Passkey, "credentialId" | "transports">[];
  }): Promise<void>;
  /** Has the user sign once more, with one of these passkeys: what `passkey` is where a password is asked for. It counts once. */
  provePasskey(options: { only: readonly Pick<Passkey, "credentialId" | "transports">[] }): Promise<object>;
  /**
   * Makes a passkey by the options of the API: what `confirmRegistration` takes as `passkey`. By the same options it gives the same
   * one again: a wrong code leaves no second one behind.
   */
  makePasskey(options: object): Promise<object>;
  /** Makes a passkey, and adds it; needs a login of the last 300 s. */
  addPasskey(options?: { name?: string }): Promise<Passkey>;
  /** All passkeys, the oldest first. The browser is told to offer no others of this account. */
  passkeys(): Promise<Passkey[]>;
  renamePasskey(passkeyId: string, name: string): Promise<Passkey>;
  /** Removes a passkey; needs a login of the last 300 s. */
  removePasskey(passkeyId: string): Promise<void>;
}

/** The challenge of a dialog that waits counts for 600 s: it is renewed before. */
const renewalMs = 540_000;

/** How the API gives the options of a ceremony, as far as they have to be translated. */
interface Options {
  challenge: string;
  rpId: string;
  user: { id: string };
  excludeCredentials: { id: string }[];
}

type Ceremony = "get" | "create";

/** What browsers are told of passkeys; older ones do not listen. */
type Signals = Partial<
  Record<"signalUnknownCredential" | "signalAllAcceptedCredentials", (what: object) => Promise<void>>
>;

/** Makes what an account does with passkeys, beside a client of the API. */
export function createPasskeyClient(auth: AuthClient): PasskeyClient {
  const { call, open } = auth;
  /** A browser does one ceremony at a time. */
  let pending: AbortController | undefined;
  /** How many passkeys are being made, and how many were: a list that is older than one of them must not hide it. */
  let [making, made] = [0, 0];

  /** The passkey of a registration, and the challenge that it was made by. */
  let registering: [challenge?: string, answer?: object] = [];

  /** The browser's answer to a challenge, as JSON; the options come from the API, by their path. */
  async function perform(
    kind: Ceremony,
    from: string | Options,
    more: object = {},
    only: readonly Pick<Passkey, "credentialId" | "transports">[] = [],
  ): Promise<[object, Options, string]> {
    const options = typeof from === "string" ? await call<Options>(from, "POST", {}) : from;
    const publicKey = {
      ...options,
      challenge: toBytes(options.challenge),
      ...(only.length > 0 && {
        allowCredentials: only.map(({ credentialId, transports }) => ({
          type: "public-key",
          id: toBytes(credentialId),
          transports,
        })),
      }),
      ...(kind === "create" && {
        user: { ...options.user, id: toBytes(options.user.id) },
        excludeCredentials: options.excludeCredentials.map((each) => ({ ...each, id: toBytes(each.id) })),
      }),
    };
    const made = await navigator.credentials[kind]({ publicKey, ...more } as never).catch(refuse);
    const { id, response } = made as PublicKeyCredential;
    return [{ id, rawId: id, type: "public-key", response: toJson(response) }, options, id];
  }

  /** One ceremony at a time: what waits gives way. */
  function begin(signal?: AbortSignal): AbortController {
    pending?.abort();
    const own = new AbortController();
    pending = own;
    if (signal) follow(signal, own);
    return own;
  }

  /** Waits behind a field; with a new challenge whenever the one before grows old. */
  async function wait(own: AbortController): Promise<[object, Options, string]> {
    for (;;) {
      const round = new AbortController();
      follow(own.signal, round);
      const timer = setTimeout(() => round.abort(), renewalMs);
      try {
        return await perform("get", "auth/login/challenge", {
          mediation: "conditional",
          signal: round.signal,
        });
      } catch (error) {
        if (own.signal.aborted || !round.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
  }

  return {
    async signInWithPasskey({ conditional, signal, only } = {}) {
      const known = signals();
      // Before anything is waited for: what begins later takes the place of what began before.
      const own = begin(signal);
      if (conditional && !(await PublicKeyCredential.isConditionalMediationAvailable?.()))
        throw unsupported();
      const [passkey, { rpId }, credentialId] = conditional
        ? await wait(own)
        : await perform("get", "auth/login/challenge", { signal: own.signal }, only);
      try {
        await open("auth/login", { passkey });
      } catch (error) {
        // Only where the account is there, and the passkey is not: whoever hides one by mistake loses it.
        if ((error as AuthError).code === "unknown_passkey")
          await known.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
        throw error;
      }
    },

    async provePasskey({ only }) {
      signals();
      return (await perform("get", "auth/login/challenge", { signal: begin().signal }, only))[0];
    },

    async makePasskey(options) {
      signals();
      const { challenge } = options as Options;
      if (registering[0] !== challenge)
        registering = [
          challenge,
          (await perform("create", options as Options, { signal: begin().signal }))[0],
        ];
      return registering[1] as object;
    },

    async addPasskey({ name } = {}) {
      signals();
      const { signal } = begin();
      making++;
      try {
        const [passkey] = await perform("create", "auth/passkeys/challenge", { signal });
        const body = { ...(await bearerPair(auth)), passkey, ...(name && { name }) };
        return await call<Passkey>("auth/passkeys", "POST", body);
      } finally {
        making--;
        made++;
      }
    },

    async passkeys() {
      const before = made;
      const list = await call<{ rpId: string; userHandle: string; passkeys: Passkey[] }>("auth/passkeys");
      const { rpId, userHandle: userId, passkeys } = list;
      const allAcceptedCredentialIds = passkeys.map(({ credentialId }) => credentialId);
      const { signalAllAcceptedCredentials: tell } = (globalThis.PublicKeyCredential ?? {}) as Signals;
      if (!making && made === before)
        await tell?.call(PublicKeyCredential, { rpId, userId, allAcceptedCredentialIds }).catch(() => {});
      return passkeys;
    },

    renamePasskey: (passkeyId, name) => call(`auth/passkeys/${passkeyId}`, "PATCH", { name }),
    removePasskey: async (passkeyId) => call(`auth/passkeys/${passkeyId}`, "DELETE", await bearerPair(auth)),
  };
}

/** What this browser can be told of passkeys. Throws AuthError `unsupported` where it knows none. */
function signals(): Signals {
  if (!globalThis.PublicKeyCredential) throw unsupported();
  return PublicKeyCredential as Signals;
}

/** Aborts with another signal, also with one that was aborted before. */
function follow(signal: AbortSignal, own: AbortController): void {
  if (signal.aborted) own.abort();
  signal.addEventListener("abort", () => own.abort());
}

const unsupported = () =>
  new AuthError(0, { code: "unsupported", detail: "This browser knows no passkeys." });

function refuse(cause: unknown): never {
  const { name } = cause as Error;
  const [code, detail] =
    name === "InvalidStateError"
      ? ["passkey_exists", "This device has a passkey of the account already."]
      : name === "SecurityError"
        ? ["unsupported", "This page may not use the passkeys: PASSKEY_RP_ID is another domain."]
        : ["passkey_cancelled", "The passkey's dialog was ended."];
  throw new AuthError(0, { code, detail }, undefined, cause);
}

// Not `parseCreationOptionsFromJSON` and `toJSON`: older browsers have none, and some password managers break them.

/** The members of an answer that are bytes, and how its authenticator is reached. */
function toJson(response: AuthenticatorResponse): object {
  const of = response as unknown as Record<string, unknown> & { getTransports?: () => string[] };
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  return {
    ...Object.fromEntries(
      names.flatMap((name) => (of[name] instanceof ArrayBuffer ? [[name, toText(of[name])]] : [])),
    ),
    ...(of.getTransports && { transports: of.getTransports() }),
  };
}

const toText = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");

const toBytes = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
