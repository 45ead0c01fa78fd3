import type { IdentityEntry } from "./identities.ts";

const prefix = "external:";

/** An identity at another provider, as its owner sees it; `linkedAt` in epoch seconds. */
export interface IdentityView {
  identityId: string;
  /** The provider's id; null where the entry does not say. */
  provider: string | null;
  /** The address that it had there. */
  email: string | null;
  linkedAt: number;
}

/** Shows an identity to its owner. */
export const viewIdentity = ({ identity, provider, email, createdAt }: IdentityEntry): IdentityView => ({
  identityId: identity.slice(prefix.length),
  provider: provider ?? null,
  email: email ?? null,
  linkedAt: createdAt,
});

/** The identity with an id that came from outside; undefined for a text that is none. */
export const parseIdentityId = (text: unknown): string | undefined =>
  typeof text === "string" && /^[\w-]{43}$/.test(text) ? `${prefix}${text}` : undefined;
