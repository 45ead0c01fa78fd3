import { createHash } from "node:crypto";
import { isEmail, normalizeEmail } from "../accounts/email.ts";
import type { Provider } from "./provider.ts";
import { ProviderRefusal } from "./provider-error.ts";

/** What a provider says of a user who has signed in there. */
export interface Evidence {
  /** The identity as the index has it. */
  identity: string;
  /** The address, normalised, where the provider's word is that it is the user's: it may make an account. */
  email: string | undefined;
  /** The provider alone gives out addresses of that domain: its word may also link it to an account that has the address. */
  isAuthoritative: boolean;
}

/** The key of an identity in the index: a hash, since some subjects are addresses. */
export const externalIdentity = (issuer: string, subject: string): string =>
  `external:${createHash("sha256")
    .update(JSON.stringify([issuer, subject]))
    .digest("base64url")}`;

type Claims = Record<string, unknown>;

/**
 * An address as a provider tells it, normalised; empty where letters outside ASCII stand before the @. NFKC makes others of some (of a
 * Kelvin sign a k), and the provider has not proven the address that comes out.
 */
const readAddress = (email: unknown): string =>
  typeof email === "string" && /^[\x20-\x7e]+@/.test(email) ? normalizeEmail(email) : "";

/** What an address is worth. */
interface Word {
  isVerified: boolean;
  isAuthoritative: boolean;
}

const googleDomains = ["gmail.com", "googlemail.com"];
const appleDomains = ["privaterelay.appleid.com", "icloud.com", "me.com", "mac.com"];

/** Whose word on an address counts, and how much, by preset; `domain` is that of the address. */
const rules: Record<
  Exclude<Provider["preset"], "github">,
  (claims: Claims, domain: string, provider: Provider) => Word
> = {
  google: ({ email_verified: verified, hd }, domain) => ({
    isVerified: verified === true,
    isAuthoritative: googleDomains.includes(domain) || hd === domain,
  }),
  // It may be a text. An address that hides the user's own is Apple's, too.
  apple: ({ email_verified: verified }, domain) => ({
    isVerified: verified === true || verified === "true",
    isAuthoritative: appleDomains.includes(domain),
  }),
  // `email_verified` is not theirs; where it stands nevertheless, and says no, that holds.
  microsoft: ({ email_verified: verified, xms_edov: edov }, domain, { emailDomains }) => {
    const isOurs = emailDomains.includes(domain);
    const isVerified = verified === undefined && (edov === true || edov === 1 || edov === "1" || isOurs);
    return { isVerified, isAuthoritative: isVerified };
  },
  oidc: ({ email_verified: verified }, domain, { emailDomains }) => ({
    isVerified: verified === true,
    isAuthoritative: emailDomains.includes(domain),
  }),
};

/** Printable ASCII (OpenID Connect Core 1.0, section 2, has 255 of ASCII). */
const isSubject = (value: unknown): value is string =>
  typeof value === "string" && /^[\x20-\x7e]{1,255}$/.test(value);

/**
 * Reads the claims of an ID token whose signature, issuer, audience, times and nonce were verified; `parties` may have asked for it.
 * Throws ProviderRefusal.
 */
export function readTokenEvidence(provider: Provider, claims: Claims, parties: string[]): Evidence {
  const { sub, azp, email } = claims;
  if (!isSubject(sub)) throw new ProviderRefusal("subject refused");
  // With one audience the library does not look at it.
  if (azp !== undefined && !parties.includes(azp as string)) throw new ProviderRefusal("ID token refused");
  const address = readAddress(email);
  const word =
    provider.preset === "github"
      ? { isVerified: false, isAuthoritative: false }
      : rules[provider.preset](claims, address.slice(address.lastIndexOf("@") + 1), provider);
  return toEvidence(externalIdentity(provider.issuer, sub), address, word);
}

/**
 * Asks GitHub's API who has signed in: the number of the account, since a name may change hands, and the primary address, if
 * it shows that. Throws ProviderRefusal, and what `get` throws.
 */
export async function readGithubEvidence(
  { issuer }: Provider,
  get: (path: string) => Promise<unknown>,
): Promise<Evidence> {
  const [user, emails] = await Promise.all([get("/user"), get("/user/emails")]);
  const { id } = (user ?? {}) as Claims;
  if (!Number.isSafeInteger(id) || Number(id) <= 0) throw new ProviderRefusal("subject refused");
  const primary = Array.isArray(emails)
    ? (emails as Claims[]).find((each) => each?.primary === true)
    : undefined;
  const address = readAddress(primary?.email);
  // Verified once, perhaps years ago.
  const word = { isVerified: primary?.verified === true, isAuthoritative: false };
  return toEvidence(externalIdentity(issuer, String(id)), address, word);
}

function toEvidence(identity: string, address: string, { isVerified, isAuthoritative }: Word): Evidence {
  const isUsable = isVerified && isEmail(address);
  return { identity, email: isUsable ? address : undefined, isAuthoritative: isUsable && isAuthoritative };
}
