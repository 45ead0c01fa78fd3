import * as v from "valibot";
import { passkeyAlgorithms } from "./cose-key.ts";

/** The most passkeys of one account: with ten its item stays one read unit. */
export const maxPasskeys = 10;

/** A passkey as the user's item holds it, by its `passkeyId`. Times are epoch seconds. */
export const passkeySchema = v.object({
  /** As browsers name it, base64url. */
  credentialId: v.string(),
  /** SPKI, base64url. */
  publicKey: v.string(),
  alg: v.picklist(passkeyAlgorithms),
  /** What the authenticator said last; nothing is decided by it. */
  signCount: v.number(),
  isBackupEligible: v.boolean(),
  isBackedUp: v.boolean(),
  transports: v.array(v.string()),
  /** The model of the authenticator, hex; zeros where it does not say. */
  aaguid: v.string(),
  name: v.string(),
  createdAt: v.number(),
  lastUsedAt: v.exactOptional(v.number()),
  /** When the challenge of the last use was made, epoch milliseconds, and which use that was. */
  challengedAt: v.exactOptional(v.number()),
  usedBy: v.exactOptional(v.string()),
});

/** A passkey as the user's item holds it. */
export type Passkey = v.InferOutput<typeof passkeySchema>;

/** What a user's item has of passkeys. */
interface HasPasskeys {
  passkeys?: Readonly<Record<string, Passkey>>;
}

/** Answers whether a text has the form of a `passkeyId`: 22 characters of base64url. */
export const isPasskeyId = (text: unknown): text is string =>
  typeof text === "string" && /^[\w-]{22}$/.test(text);

/** The passkey of a user by its id; an id from outside is looked up as that and as nothing else. */
export const findPasskey = ({ passkeys = {} }: HasPasskeys, passkeyId: string): Passkey | undefined =>
  Object.hasOwn(passkeys, passkeyId) ? passkeys[passkeyId] : undefined;

/** A passkey as its owner sees it. */
export interface PasskeyView
  extends Pick<Passkey, "credentialId" | "name" | "createdAt" | "isBackedUp" | "transports" | "aaguid"> {
  passkeyId: string;
  lastUsedAt: number | null;
}

/** Shows a passkey to its owner. */
export function viewPasskey(passkeyId: string, passkey: Passkey): PasskeyView {
  const { credentialId, name, createdAt, lastUsedAt = null, isBackedUp, transports, aaguid } = passkey;
  return { passkeyId, credentialId, name, createdAt, lastUsedAt, isBackedUp, transports, aaguid };
}

/** Shows all passkeys of an account to its owner, the oldest first. */
export function viewPasskeys(passkeys: Readonly<Record<string, Passkey>> = {}): PasskeyView[] {
  return Object.entries(passkeys)
    .map(([passkeyId, passkey]) => viewPasskey(passkeyId, passkey))
    .sort((a, b) => a.createdAt - b.createdAt || (a.passkeyId < b.passkeyId ? -1 : 1));
}
